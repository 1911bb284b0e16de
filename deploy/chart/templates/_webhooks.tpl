{{/* Opted in by a mode, and never the namespaces that a cluster needs to recover. */}}
{{- define "gpu-sharing.namespaceSelector" -}}
matchExpressions:
- {key: gpu-sharing.io/mode, operator: In, values: [{{ .mode }}]}
- key: kubernetes.io/metadata.name
  operator: NotIn
  values:
  {{- $own := list "kube-system" "kube-public" "kube-node-lease" .root.Release.Namespace }}
  {{- range concat $own .root.Values.excludedNamespaces | uniq }}
  - {{ . }}
  {{- end }}
{{- end }}

{{/* The mirror of a static pod cannot be refused any more; the kubelet runs it already. */}}
{{- define "gpu-sharing.notMirror" -}}
- name: not-a-mirror-pod
  expression: "!has(object.metadata.annotations) || !('kubernetes.io/config.mirror' in object.metadata.annotations)"
{{- end }}

{{/* Containers and init containers whose limits or requests name a GPU. */}}
{{- define "gpu-sharing.asksForGpu" -}}
((has(object.spec.containers) ? object.spec.containers : []) +
 (has(object.spec.initContainers) ? object.spec.initContainers : [])).exists(c, has(c.resources) && (
  (has(c.resources.limits) && c.resources.limits.exists(k, k.startsWith('nvidia.com/'))) ||
  (has(c.resources.requests) && c.resources.requests.exists(k, k.startsWith('nvidia.com/')))))
{{- end }}

{{/* Containers of any kind that name GPUs by environment. */}}
{{- define "gpu-sharing.namesGpus" -}}
((has(object.spec.containers) ? object.spec.containers : []) +
 (has(object.spec.initContainers) ? object.spec.initContainers : [])).exists(c,
  has(c.env) && c.env.exists(e, e.name == 'NVIDIA_VISIBLE_DEVICES')) ||
(has(object.spec.ephemeralContainers) && object.spec.ephemeralContainers.exists(c,
  has(c.env) && c.env.exists(e, e.name == 'NVIDIA_VISIBLE_DEVICES')))
{{- end }}

{{- define "gpu-sharing.clientConfig" -}}
service:
  namespace: {{ .root.Release.Namespace }}
  name: {{ .root.Release.Name }}
  port: 443
  path: {{ .path }}
{{- end }}
