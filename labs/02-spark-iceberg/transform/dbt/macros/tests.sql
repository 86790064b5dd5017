{#- Generic tests beyond dbt's own four; one that looks at many columns is one query, not many. -#}
{% test unique_key(model, columns) %}
  select {{ columns | join(', ') }}, count(*) as copies
  from {{ model }}
  group by {{ columns | join(', ') }}
  having count(*) > 1
{% endtest %}

{% test no_nulls(model, columns) %}
  select * from {{ model }} where {{ columns | join(' is null or ') }} is null
{% endtest %}

{% test within(model, column_name, least, most) %}
  select * from {{ model }} where {{ column_name }} not between {{ least }} and {{ most }}
{% endtest %}
