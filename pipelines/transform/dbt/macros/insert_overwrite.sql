{#-
  Replace the day's partition in one commit, whatever the query returns: a static partition empties a day that has no
  rows any more, where dbt's own dynamic overwrite would leave the old ones.
-#}
{% macro get_insert_overwrite_sql(source_relation, target_relation, existing_relation) %}
  {%- set columns = adapter.get_columns_in_relation(target_relation) | map(attribute='name') | reject('equalto', 'flight_date') -%}
  insert overwrite table {{ target_relation }} partition (flight_date = {{ ds() }})
  select {{ columns | map('lower') | join(', ') }} from {{ source_relation }}
{% endmacro %}
