{{- define "pldns.name" -}}
{{ eq .Release.Name "pldns" | ternary "pldns" (printf "%s-pldns" .Release.Name) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- define "pldns.selector" -}}
app.kubernetes.io/name: pldns
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "pldns.labels" -}}
{{ include "pldns.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}
{{- define "pldns.configuration" -}}
{{- $own := dict "dns" (dict "listen" (list "0.0.0.0:53")) "state" (dict "directory" "/var/lib/pldns") "admin" (dict "health" "0.0.0.0:8054") -}}
{{- mergeOverwrite (deepCopy .Values.configuration) $own | toYaml -}}
{{- end }}
