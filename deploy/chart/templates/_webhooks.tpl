{{/* Opted in by one of the modes, and never the namespaces that a cluster needs to recover. */}}
{{- define "gpu-sharing.namespaceSelector" -}}
matchExpressions:
- {key: gpu-sharing.io/mode, operator: In, values: {{ toJson .modes }}}
- key: kubernetes.io/metadata.name
  operator: NotIn
  values:
  {{- $own := list "kube-system" "kube-public" "kube-node-lease" .root.Release.Namespace }}
  {{- range concat $own .root.Values.excludedNamespaces (default list .besides) | uniq }}
  - {{ . }}
  {{- end }}
{{- end }}

{{/* A kubelet's mirror of a static pod cannot be refused any more: the kubelet runs it already. */}}
{{- define "gpu-sharing.notMirror" -}}
!(has(object.metadata.annotations) && 'kubernetes.io/config.mirror' in object.metadata.annotations && has(request.userInfo.groups) && 'system:nodes' in request.userInfo.groups)
{{- end }}

{{/*
What /validate or the backstop is asked about. It is one condition, false for most pods at once: what
the API server evaluates costs each pod 3 to 5 µs whatever it is.
*/}}
{{- define "gpu-sharing.canReach" -}}
- name: can-reach-a-gpu
  expression: >-
    ({{- include . "object" | nindent 4 }}) && {{ include "gpu-sharing.notMirror" . }}
{{- end }}

{{- define "gpu-sharing.clientConfig" -}}
service:
  namespace: {{ .root.Release.Namespace }}
  name: {{ .root.Release.Name }}
  port: 443
  path: {{ .path }}
{{- end }}
