{#-
  Run a test, and keep its failing rows only where there are some. dbt's own `store_failures` creates a table per test
  and run, failing or not, and runs of two days would replace each other's; here all go to one table, by day and test.
-#}
{% materialization test, adapter='spark' %}
  {%- set limit = config.get('limit') -%}
  {%- set fail_calc = config.get('fail_calc') -%}
  {%- set warn_if = config.get('warn_if') -%}
  {%- set error_if = config.get('error_if') -%}
  {% call statement('main', fetch_result=True) -%}
    {{ get_test_sql(sql, fail_calc, warn_if, error_if, limit) }}
  {%- endcall %}
  {% if execute and should_store_failures() and load_result('main')['data'][0][0] > 0 %}
    {% do keep_failures(sql) %}
  {% endif %}
  {{ return({'relations': []}) }}
{% endmaterialization %}

{% macro keep_failures(failing_sql) %}
  {%- set table = config.get('schema') ~ '.dbt_failures' -%}
  {% do run_query('create schema if not exists ' ~ config.get('schema')) %}
  {% do run_query('create table if not exists ' ~ table ~ ' (flight_date date, test string, row string) using iceberg partitioned by (flight_date, test)') %}
  {% do run_query(
    'insert overwrite table ' ~ table ~ ' partition (flight_date = ' ~ ds() ~ ", test = '" ~ model.name ~ "') "
    ~ 'select to_json(struct(*)) from (' ~ failing_sql ~ ') as failing limit 100'
  ) %}
  {% do log('the rows that fail ' ~ model.name ~ ' are in ' ~ table, info=True) %}
{% endmacro %}
