{#- The day that this run builds, as a SQL literal; refused where it is missing or no date. -#}
{% macro ds() -%}
  {%- set day = var('ds') | string -%}
  {%- if not modules.re.match('^\\d{4}-\\d{2}-\\d{2}$', day) -%}
    {{ exceptions.raise_compiler_error("ds: '" ~ day ~ "' is no date; write it as YYYY-MM-DD") }}
  {%- endif -%}
  date '{{ day }}'
{%- endmacro %}

{#- Every data test looks at the day only: others may be written at the same time, and are none of its business. -#}
{% macro get_where_subquery(relation) -%}
  (select * from {{ relation }} where flight_date = {{ ds() }}) as of_the_day
{%- endmacro %}

{#- Schemas are named as they are: marts is marts, not <target schema>_marts. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {{ custom_schema_name or target.schema }}
{%- endmacro %}
