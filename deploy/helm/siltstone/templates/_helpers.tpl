{{- define "siltstone.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 63 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "siltstone.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "siltstone.labels" -}}
{{ include "siltstone.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "siltstone.account" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "siltstone.name" .) .Values.serviceAccount.name }}{{ else }}{{ default "default" .Values.serviceAccount.name }}{{ end }}
{{- end }}

{{- /* The configuration file: what the chart decides stands over what the values say. */ -}}
{{- define "siltstone.config" -}}
{{- $fixed := dict "host" "0.0.0.0" "port" 8000 }}
{{- if .Values.persistence.enabled }}{{ $_ := set $fixed "data" "/data/store" }}{{ end }}
{{- if .Values.tokensSecret }}{{ $_ := set $fixed "tokens" "/etc/siltstone/tokens/tokens.json" }}{{ end }}
{{- if .Values.tlsSecret }}{{ $_ := set $fixed "tlsCert" "/etc/siltstone/tls/tls.crt" }}{{ $_ := set $fixed "tlsKey" "/etc/siltstone/tls/tls.key" }}{{ end }}
{{- mergeOverwrite (deepCopy .Values.config) $fixed | toPrettyJson }}
{{- end }}
