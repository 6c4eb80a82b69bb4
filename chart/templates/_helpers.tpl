{{/* Names and labels. */}}

{{- define "swiss.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* At most 49 characters: "-contract-test" is appended, and the limit for a Service is 63 (RFC 1035). */}}
{{- define "swiss.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 49 | trimSuffix "-" }}
{{- else if contains (include "swiss.name" .) .Release.Name }}
{{- .Release.Name | trunc 49 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "swiss.name" .) | trunc 49 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "swiss.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{- define "swiss.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "swiss.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* The image by digest if it is set, otherwise by tag. */}}
{{- define "swiss.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "swiss.selectorLabels" -}}
app.kubernetes.io/name: {{ include "swiss.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "swiss.labels" -}}
{{ include "swiss.podLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimAll "._-" }}
{{- end }}

{{/* Without the chart's version, so that a new version of the chart restarts no pod. */}}
{{- define "swiss.podLabels" -}}
{{ include "swiss.selectorLabels" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | splitList "@" | first | trunc 63 | trimAll "._-" | quote }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Labels of the `helm test` pod. The selector must not match them, or the pod would get requests. */}}
{{- define "swiss.testSelectorLabels" -}}
app.kubernetes.io/name: {{ include "swiss.name" . | trunc 49 | trimSuffix "-" }}-contract-test
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
