{{- define "namespace" }}{{ .Values.namespace | default .Release.Namespace }}{{ end }}

{{- define "labels" }}
app.kubernetes.io/part-of: batchlab
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "_" }}
{{- end }}
