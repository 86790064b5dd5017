{#-
  Replace the day's partition in one commit, whatever the query returns. dbt's own statement overwrites the partitions
  that the query has rows for (dbt-spark sets `partitionOverwriteMode = DYNAMIC`, also for a static PARTITION clause): a
  day that lost all its rows would keep the old ones. REPLACE WHERE names what goes, in any mode.
-#}
{% macro get_insert_overwrite_sql(source_relation, target_relation, existing_relation) %}
  {%- set columns = adapter.get_columns_in_relation(target_relation) | map(attribute='name') | map('lower') -%}
  insert into table {{ target_relation }} replace where flight_date = {{ ds() }}
  select {{ columns | join(', ') }} from {{ source_relation }}
{% endmacro %}
