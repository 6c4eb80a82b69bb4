{{/*
Refuses combinations of values that are each valid by themselves, which
values.schema.json cannot express. Each message gives the reason and a correction.
*/}}

{{- define "swiss.validate" -}}
{{- include "swiss.validateImage" . }}
{{- include "swiss.validateSecurity" . }}
{{- include "swiss.validateRoot" . }}
{{- include "swiss.validateRuntime" . }}
{{- include "swiss.validateOnce" . }}
{{- include "swiss.validateLabels" . }}
{{- include "swiss.validateKeys" . }}
{{- include "swiss.validateService" . }}
{{- include "swiss.validateExposure" . }}
{{- include "swiss.validateScale" . }}
{{- include "swiss.validateBudget" . }}
{{- include "swiss.validateGce" . }}
{{- include "swiss.validateHealthChecks" . }}
{{- end }}

{{- define "swiss.validateImage" -}}
{{- $image := .Values.image }}
{{- if not $image.repository }}
{{- fail (printf "\n\nimage.repository is missing. Set it to the repository that the artifact was pushed to, for example\n\n  helm install %s ... --set image.repository=gcr.io/my-project/swiss --set image.digest=sha256:... --set image.packaging=component\n\n`make push` printed the whole command." .Release.Name) }}
{{- end }}
{{- $digest := "" }}
{{- if contains "@" (toString $image.tag) }}
{{- $digest = splitList "@" $image.tag | last }}
{{- end }}
{{- if and $digest $image.digest (ne $digest $image.digest) }}
{{- fail (printf "\n\nimage.tag and image.digest disagree: the tag contains %s, the digest is %s. Remove one of them." $digest $image.digest) }}
{{- end }}
{{- end }}

{{- define "swiss.validateSecurity" -}}
{{- $packaging := .Values.image.packaging }}
{{- $pod := .Values.podSecurityContext }}
{{- $container := .Values.securityContext }}
{{- $capabilities := $container.capabilities | default dict }}
{{- if and (has "ALL" $capabilities.drop) (not $capabilities.add) }}
{{- fail "\n\nsecurityContext.capabilities drops ALL and adds none: the shim then leaves the process every capability instead of none (libcontainer applies only sets that are not empty). Add NET_BIND_SERVICE, which Pod Security `restricted` also allows." }}
{{- end }}
{{- if eq $packaging "spin" }}
{{- if $container.readOnlyRootFilesystem }}
{{- fail "\n\nsecurityContext.readOnlyRootFilesystem does not work with image.packaging=spin: the shim cannot write /.cache and /spin.json when it starts, and the container exits with code 137. Push the component artifact (`make push`) and set image.packaging=component, or set readOnlyRootFilesystem to false." }}
{{- end }}
{{- $user := $pod.runAsUser | default 0 }}
{{- if hasKey $container "runAsUser" }}
{{- $user = $container.runAsUser }}
{{- end }}
{{- $nonRoot := or (ne (int64 $user) 0) $pod.runAsNonRoot $container.runAsNonRoot }}
{{- /* If securityContext is empty, the container gets the chart's default, which drops ALL. */}}
{{- if and $nonRoot (or (not $container) (has "ALL" $capabilities.drop)) }}
{{- fail "\n\nA pod with image.packaging=spin cannot be both non-root and without capabilities: the shim cannot write /.cache and /spin.json into the root directory, which belongs to root, and the container exits with code 137. Push the component artifact (`make push`) and set image.packaging=component, or leave podSecurityContext and securityContext empty." }}
{{- end }}
{{- end }}
{{- end }}

{{- define "swiss.validateRuntime" -}}
{{- range $name := list "livenessProbe" "readinessProbe" "startupProbe" }}
{{- with index $.Values $name }}
{{- if .exec }}
{{- fail (printf "\n\n%s.exec does not work: the Spin shim cannot run commands in the container. Use httpGet." $name) }}
{{- end }}
{{- if ne (len (compact (list .httpGet .tcpSocket .grpc))) 1 }}
{{- fail (printf "\n\n%s needs exactly one of httpGet, tcpSocket and grpc. Set the others to null; to disable the probe, set %s itself to null." $name $name) }}
{{- end }}
{{- end }}
{{- end }}
{{- $preStop := (.Values.lifecycle | default dict).preStop | default dict }}
{{- if $preStop.exec }}
{{- fail "\n\nlifecycle.preStop.exec does not work: the Spin shim cannot run commands in the container. Use lifecycle.preStop.sleep.seconds." }}
{{- end }}
{{- $sleep := ($preStop.sleep | default dict).seconds | default 0 }}
{{- if and $sleep (le (int .Values.terminationGracePeriodSeconds) (int $sleep)) }}
{{- fail (printf "\n\nterminationGracePeriodSeconds is %d and lifecycle.preStop.sleep.seconds is %d. The grace period includes the sleep, so the kubelet would kill the pod during it. Make the grace period longer than the sleep, by the seconds that a request may take." (int .Values.terminationGracePeriodSeconds) (int $sleep)) }}
{{- end }}
{{- range .Values.extraEnv }}
{{- if and (eq .name "SPIN_MAX_INSTANCE_MEMORY") .value (not (regexMatch "^[0-9]+$" (toString .value))) }}
{{- fail (printf "\n\nextraEnv sets SPIN_MAX_INSTANCE_MEMORY to %s, which the shim silently ignores. Set it to a plain number of bytes, such as \"67108864\"." (toString .value)) }}
{{- end }}
{{- end }}
{{- if and .Values.spinVariables (eq .Values.image.packaging "component") }}
{{- fail "\n\nspinVariables have no effect with image.packaging=component: the artifact has no spin.toml to declare a variable. Use image.packaging=container or spin." }}
{{- end }}
{{- end }}

{{- define "swiss.validateLabels" -}}
{{- range $where := list "commonLabels" "podLabels" }}
{{- range $key, $value := index $.Values $where }}
{{- if has $key (list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/version" "app.kubernetes.io/managed-by" "helm.sh/chart") }}
{{- fail (printf "\n\n%s sets %s, which the chart sets itself. Use nameOverride to change the name, and labels of your own for everything else." $where $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Kubernetes would refuse a wrong key late, when other objects exist. */}}
{{- define "swiss.validateKeys" -}}
{{- $values := .Values }}
{{- $maps := dict "commonLabels" $values.commonLabels "podLabels" $values.podLabels }}
{{- range $name := list "commonAnnotations" "deploymentAnnotations" "podAnnotations" }}
{{- $_ := set $maps $name (index $values $name) }}
{{- end }}
{{- range $name := list "service" "serviceAccount" "ingress" "httpRoute" "helmTest" }}
{{- $_ := set $maps (printf "%s.annotations" $name) (index $values $name).annotations }}
{{- end }}
{{- range $name, $map := $maps }}
{{- range $key, $_ := $map }}
{{- if not (regexMatch "^([a-z0-9]([-.a-z0-9]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$" $key) }}
{{- fail (printf "\n\n%s has the key %s. Write a name such as team or example.com/team: at most 63 letters, digits, dashes, dots and underscores after the slash." $name $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "swiss.validateService" -}}
{{- $service := .Values.service }}
{{- if ne $service.type "LoadBalancer" }}
{{- range $name := list "loadBalancerClass" "loadBalancerIP" "loadBalancerSourceRanges" }}
{{- if index $service $name }}
{{- fail (printf "\n\nservice.%s needs service.type=LoadBalancer, but the type is %s. Kubernetes would refuse or ignore it." $name $service.type) }}
{{- end }}
{{- end }}
{{- end }}
{{- if eq $service.type "ClusterIP" }}
{{- range $name := list "externalTrafficPolicy" "nodePort" }}
{{- if index $service $name }}
{{- fail (printf "\n\nservice.%s needs service.type=LoadBalancer or NodePort: a ClusterIP Service gets no traffic from outside the cluster." $name) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "swiss.validateExposure" -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
{{- fail "\n\nhttpRoute.enabled needs httpRoute.parentRefs: name the Gateway that the route attaches to, for example\n\n  --set httpRoute.parentRefs[0].name=GATEWAY" }}
{{- end }}
{{- if and .Values.httpRoute.healthCheckPolicy.enabled (not .Values.httpRoute.enabled) }}
{{- fail "\n\nhttpRoute.healthCheckPolicy.enabled needs httpRoute.enabled: GKE reads the policy only for the backends of a Gateway." }}
{{- end }}
{{- if and .Values.otel.endpoint .Values.networkPolicy.enabled (not .Values.networkPolicy.egress) }}
{{- fail "\n\notel.endpoint is set, but the NetworkPolicy allows no traffic out, so no telemetry would arrive. In networkPolicy.egress, allow traffic to the collector, and to DNS if the endpoint is a host name." }}
{{- end }}
{{- end }}
