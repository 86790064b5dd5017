{{- define "namespace" }}{{ .Values.namespace | default .Release.Namespace }}{{ end }}

{{- define "labels" }}
app.kubernetes.io/part-of: batchlab
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}
