{{/* Names and labels. */}}

{{- define "swiss.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimAll "-_" }}
{{- end }}

{{/*
The name of the objects. A subchart always appends its own name, so that two aliases of the
chart in one release never share a name.
*/}}
{{- define "swiss.fullname" -}}
{{- $name := include "swiss.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride }}
{{- else if and .Chart.IsRoot (contains $name .Release.Name) }}
{{- include "swiss.dnsLabel" .Release.Name }}
{{- else }}
{{- include "swiss.dnsLabel" (printf "%s-%s" .Release.Name $name) }}
{{- end }}
{{- end }}

{{/*
The argument as a name that every object may have, a Service's included: at most 63
lower-case letters, digits and dashes, of which the first is a letter (RFC 1035). A name
that has to change for that ends in a hash of the original, because v1.2 and v1-2 would
otherwise become the same.
*/}}
{{- define "swiss.dnsLabel" -}}
{{- $label := . | lower | replace "." "-" | replace "_" "-" | trimAll "-" }}
{{- if not (regexMatch "^[a-z]" $label) }}
{{- $label = printf "swiss-%s" $label }}
{{- end }}
{{- if and (eq $label .) (le (len .) 63) }}
{{- . }}
{{- else }}
{{- printf "%s-%s" ($label | trunc 54 | trimSuffix "-") (sha256sum . | trunc 8) }}
{{- end }}
{{- end }}

{{- define "swiss.testName" -}}
{{- include "swiss.dnsLabel" (printf "%s-contract-test" (include "swiss.fullname" .)) }}
{{- end }}

{{/* An alias of the chart may have upper-case letters, a container's name may not. */}}
{{- define "swiss.containerName" -}}
{{- include "swiss.dnsLabel" .Chart.Name }}
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
app.kubernetes.io/name: {{ include "swiss.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "swiss.labels" -}}
{{ include "swiss.versionedLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimAll "._-" | quote }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Without the chart's version, so that a new version of the chart restarts no pod. */}}
{{- define "swiss.versionedLabels" -}}
{{ include "swiss.selectorLabels" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | splitList "@" | first | trunc 63 | trimAll "._-" | quote }}
{{- end }}

{{- define "swiss.podLabels" -}}
{{ include "swiss.versionedLabels" . }}
{{- with include "swiss.merged" (list .Values.commonLabels .Values.podLabels) }}
{{ . }}
{{- end }}
{{- end }}

{{/*
A list of maps as one map, in which each key is there once and the last map wins. Sprig's
merge is not used, because it takes an empty value for a missing one.
*/}}
{{- define "swiss.merged" -}}
{{- $merged := dict }}
{{- range . }}
{{- range $key, $value := . }}
{{- $_ := set $merged $key $value }}
{{- end }}
{{- end }}
{{- with $merged }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{/* Labels of the `helm test` pod. The selector must not match them, or the pod would get requests. */}}
{{- define "swiss.testSelectorLabels" -}}
app.kubernetes.io/name: {{ printf "%s-contract-test" (include "swiss.name" . | trunc 49 | trimSuffix "-") | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/* Helm's own annotations are last, so that commonAnnotations cannot replace them. */}}
{{- define "swiss.testAnnotations" -}}
{{- $hook := dict "helm.sh/hook" "test" }}
{{- /* With this policy Helm prints the log and can then delete the pod. (`--logs` would
look for the pod after Helm 3 has deleted it.) */}}
{{- $_ := set $hook "helm.sh/hook-output-log-policy" "hook-succeeded,hook-failed" }}
{{- $_ := set $hook "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded,hook-failed" }}
{{- include "swiss.merged" (list .Values.commonAnnotations .Values.helmTest.annotations $hook) }}
{{- end }}

{{/* The test runs wherever the pods may: with their tolerations, and with those that their RuntimeClass adds. */}}
{{- define "swiss.testTolerations" -}}
{{- /* Also with --reuse-values, which brings old defaults: GKE taints its Arm nodes. */}}
{{- $arm := dict "key" "kubernetes.io/arch" "operator" "Equal" "value" "arm64" "effect" "NoSchedule" }}
{{- $pods := .Values.tolerations | default list }}
{{- $class := .Values.runtimeClass.tolerations | default list }}
{{- concat $pods $class (list $arm) | uniq | toYaml }}
{{- end }}

{{/* Whether the cluster lacks the RuntimeClass, where lookup.runtimeClass lets the chart look. */}}
{{- define "swiss.runtimeClassMissing" -}}
{{- if and (.Values.lookup).runtimeClass (not .Values.runtimeClass.create) }}
{{- /* Without a cluster (helm template), lookup returns no list. */}}
{{- with lookup "node.k8s.io/v1" "RuntimeClass" "" "" }}
{{- $names := list }}
{{- range .items }}
{{- $names = append $names .metadata.name }}
{{- end }}
{{- not (has $.Values.runtimeClassName $names) }}
{{- end }}
{{- end }}
{{- end }}
