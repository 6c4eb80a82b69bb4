{{/*
Refuses what a pod would have twice. Server-side apply, which Helm 4 uses, refuses a list
with a repeated key, but only after other objects exist. Helm 3 sends both, and the last
one counts.
*/}}

{{- define "swiss.validateOnce" -}}
{{- $keys := list }}
{{- range .Values.topologySpreadConstraints }}
{{- $keys = append $keys (printf "%s with %s" .topologyKey .whenUnsatisfiable) }}
{{- end }}
{{- $secrets := include "swiss.names" .Values.imagePullSecrets | fromJsonArray }}
{{- $spreads := include "swiss.once" (list "topologySpreadConstraints" $keys dict) }}
{{- $pulls := include "swiss.once" (list "imagePullSecrets" $secrets dict) }}
{{- $env := include "swiss.envOnce" . }}
{{- $volumes := include "swiss.volumesOnce" . }}
{{- $containers := include "swiss.containersOnce" . }}
{{- with print $spreads $pulls $env $volumes $containers }}
{{- fail . }}
{{- end }}
{{- end }}

{{/*
Takes the name of a value, the keys in it, and the keys that the chart sets itself, each
with what to do instead. Prints what is wrong.
*/}}
{{- define "swiss.once" -}}
{{- $value := index . 0 }}
{{- $own := index . 2 }}
{{- $seen := list }}
{{- range $key := index . 1 }}
{{- if hasKey $own $key }}
{{- printf "\n\n%s has %s, which the chart sets itself. %s" $value $key (get $own $key) }}
{{- else if has $key $seen }}
{{- printf "\n\n%s has %s twice. Remove one of them." $value $key }}
{{- end }}
{{- $seen = append $seen $key }}
{{- end }}
{{- end }}

{{- define "swiss.names" -}}
{{- $names := list }}
{{- range . }}
{{- $names = append $names .name }}
{{- end }}
{{- toJson $names }}
{{- end }}

{{- define "swiss.envOnce" -}}
{{- $own := dict "SPIN_HTTP_LISTEN_ADDR" "Set listenAddress and containerPort instead, so that the probes and the Service use the same port." }}
{{- range $name, $_ := .Values.spinVariables }}
{{- $_ := set $own (printf "SPIN_VARIABLE_%s" (upper $name)) (printf "Set spinVariables.%s alone." $name) }}
{{- end }}
{{- if .Values.otel.endpoint }}
{{- $_ := set $own "OTEL_EXPORTER_OTLP_ENDPOINT" "Set otel.endpoint instead." }}
{{- $_ := set $own "OTEL_EXPORTER_OTLP_PROTOCOL" "Set otel.protocol instead." }}
{{- $_ := set $own "OTEL_SERVICE_NAME" "Set otel.serviceName instead." }}
{{- end }}
{{- include "swiss.once" (list "extraEnv" (include "swiss.names" .Values.extraEnv | fromJsonArray) $own) }}
{{- range .Values.extraEnv }}
{{- if and .value .valueFrom }}
{{- printf "\n\nextraEnv sets %s by both value and valueFrom. Remove one of them." .name }}
{{- end }}
{{- end }}
{{- end }}

{{- define "swiss.volumesOnce" -}}
{{- $volumes := dict }}
{{- $paths := dict }}
{{- if ne .Values.image.packaging "spin" }}
{{- $volumes = dict "cache" "Choose another name." "spin" "Choose another name." }}
{{- $paths = dict "/.cache" "Choose another path." "/.spin" "Choose another path." }}
{{- end }}
{{- $names := include "swiss.names" .Values.volumes | fromJsonArray }}
{{- include "swiss.once" (list "volumes" $names $volumes) }}
{{- $known := concat $names (keys $volumes) }}
{{- include "swiss.mountsOnce" (list "volumeMounts" .Values.volumeMounts $paths $known) }}
{{- range .Values.extraContainers }}
{{- include "swiss.mountsOnce" (list (printf "extraContainers %s: volumeMounts" .name) .volumeMounts dict $known) }}
{{- end }}
{{- end }}

{{/* Takes the name of a value, the mounts in it, the chart's own paths, and the volumes. */}}
{{- define "swiss.mountsOnce" -}}
{{- $value := index . 0 }}
{{- $volumes := index . 3 }}
{{- $paths := list }}
{{- range index . 1 }}
{{- $paths = append $paths (clean .mountPath) }}
{{- if not (has .name $volumes) }}
{{- printf "\n\n%s has the volume %s at %s, but no volume has this name. Add it to volumes." $value .name .mountPath }}
{{- end }}
{{- end }}
{{- include "swiss.once" (list $value $paths (index . 2)) }}
{{- end }}

{{- define "swiss.containersOnce" -}}
{{- $own := dict (include "swiss.containerName" .) "Choose another name for the container." }}
{{- include "swiss.once" (list "extraContainers" (include "swiss.names" .Values.extraContainers | fromJsonArray) $own) }}
{{- range $container := .Values.extraContainers }}
{{- $where := printf "extraContainers %s: " .name }}
{{- include "swiss.once" (list (print $where "env") (include "swiss.names" .env | fromJsonArray) dict) }}
{{- $ports := list }}
{{- range .ports }}
{{- $ports = append $ports (printf "%d/%s" (int .containerPort) (default "TCP" .protocol)) }}
{{- end }}
{{- include "swiss.once" (list (print $where "ports") $ports dict) }}
{{- end }}
{{- end }}
