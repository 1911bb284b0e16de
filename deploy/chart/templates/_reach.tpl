{{/*
What the webhook is asked about, as CEL over a pod `o` (object or oldObject); the checks are in
_checks.tpl. Every optional field is guarded by has(): an error would be a refusal under Fail and a
way around under Ignore. Sources: docs/security.md.
*/}}

{{/*
Some container of any list requests a device of NVIDIA's, or a device class; or the pod is too large
to look at, which the webhook refuses. It comes first, so that all that follows stays cheap.
*/}}
{{- define "gpu-sharing.asks" -}}
{{- $o := . -}}
{{- $gpu := "k.startsWith('nvidia.com/') || k.startsWith('deviceclass.resource.kubernetes.io/')" -}}
{{- $p := printf "has(c.resources) && ((has(c.resources.limits) && c.resources.limits.exists(k, %s)) || (has(c.resources.requests) && c.resources.requests.exists(k, %s)))" $gpu $gpu -}}
{{ include "gpu-sharing.large" $o }} ||
({{- range $index, $list := list "containers" "initContainers" "ephemeralContainers" }}{{ if $index }} || {{ end }}(has({{ $o }}.spec.{{ $list }}) && {{ $o }}.spec.{{ $list }}.exists(c, {{ $p }})){{ end }})
{{- end }}

{{/* What is rewritten: such pods, those with NVIDIA's runtime, and those that get an ephemeral container. */}}
{{- define "gpu-sharing.mutates" -}}
has(request.subResource) && request.subResource == 'ephemeralcontainers' ||
(has({{ . }}.spec.runtimeClassName) && {{ . }}.spec.runtimeClassName.lowerAscii().startsWith('nvidia')) ||
{{ include "gpu-sharing.asks" . }}
{{- end }}

{{/* A pod can reach a GPU. */}}
{{- define "gpu-sharing.reaches" -}}
{{ include "gpu-sharing.asks" . }} ||
{{ include "gpu-sharing.checks" . }}
{{- end }}
