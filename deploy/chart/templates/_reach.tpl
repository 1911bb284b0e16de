{{/*
The ways to a GPU, each once, as CEL over a pod `o` (object or oldObject). The webhook's
matchConditions take any of them as "can reach a GPU"; the backstop refuses each with its message.
Every optional field is guarded by has(): an error would be a refusal under Fail and a way around
under Ignore. Sources: docs/security.md.
*/}}

{{/* p holds for some container of any list. */}}
{{- define "gpu-sharing.any" -}}
((has({{ .o }}.spec.containers) && {{ .o }}.spec.containers.exists(c, {{ .p }})) || (has({{ .o }}.spec.initContainers) && {{ .o }}.spec.initContainers.exists(c, {{ .p }})) || (has({{ .o }}.spec.ephemeralContainers) && {{ .o }}.spec.ephemeralContainers.exists(c, {{ .p }})))
{{- end }}

{{- define "gpu-sharing.asks" -}}
{{- $gpu := "k.startsWith('nvidia.com/') || k.startsWith('deviceclass.resource.kubernetes.io/')" -}}
{{- $p := printf "has(c.resources) && ((has(c.resources.limits) && c.resources.limits.exists(k, %s)) || (has(c.resources.requests) && c.resources.requests.exists(k, %s)))" $gpu $gpu -}}
{{- include "gpu-sharing.any" (dict "o" . "p" $p) -}}
{{- end }}

{{- define "gpu-sharing.claims" -}}
((has({{ . }}.spec.resourceClaims) && size({{ . }}.spec.resourceClaims) > 0) || {{ include "gpu-sharing.any" (dict "o" . "p" "has(c.resources) && has(c.resources.claims) && size(c.resources.claims) > 0") }})
{{- end }}

{{- define "gpu-sharing.visibility" -}}
{{- $void := "!has(e.valueFrom) && (!has(e.value) || e.value in ['', 'void', 'none'])" -}}
{{- $devices := "e.name in ['NVIDIA_VISIBLE_DEVICES', 'NVIDIA_MIG_CONFIG_DEVICES', 'NVIDIA_MIG_MONITOR_DEVICES', 'NVIDIA_IMEX_CHANNELS']" -}}
{{- $gates := "e.name in ['NVIDIA_GDS', 'NVIDIA_MOFED', 'NVIDIA_GDRCOPY', 'NVIDIA_NVSWITCH'] && (has(e.valueFrom) || (has(e.value) && e.value.lowerAscii().contains('enabled')))" -}}
{{- include "gpu-sharing.any" (dict "o" . "p" (printf "has(c.env) && c.env.exists(e, (%s && !(%s)) || (%s))" $devices $void $gates)) -}}
{{- end }}

{{- define "gpu-sharing.mpsEnvironment" -}}
{{- $lowers := "e.name in ['CUDA_MPS_PINNED_DEVICE_MEM_LIMIT', 'CUDA_MPS_ACTIVE_THREAD_PERCENTAGE']" -}}
{{- include "gpu-sharing.any" (dict "o" . "p" (printf "has(c.env) && c.env.exists(e, e.name.startsWith('CUDA_MPS_') && !(%s))" $lowers)) -}}
{{- end }}

{{- define "gpu-sharing.privileged" -}}
{{- include "gpu-sharing.any" (dict "o" . "p" "has(c.securityContext) && has(c.securityContext.privileged) && c.securityContext.privileged") -}}
{{- end }}

{{- define "gpu-sharing.capabilities" -}}
{{- $list := "'ALL', 'SYS_ADMIN', 'SYS_PTRACE', 'SYS_RAWIO', 'SYS_MODULE', 'MKNOD', 'DAC_READ_SEARCH'" -}}
{{- $added := "has(c.securityContext) && has(c.securityContext.capabilities) && has(c.securityContext.capabilities.add)" -}}
{{- include "gpu-sharing.any" (dict "o" . "p" (printf "%s && c.securityContext.capabilities.add.exists(a, a.trim().upperAscii().replace('CAP_', '') in [%s])" $added $list)) -}}
{{- end }}

{{- define "gpu-sharing.mounts" -}}
{{- include "gpu-sharing.any" (dict "o" . "p" "has(c.volumeMounts) && c.volumeMounts.exists(m, m.mountPath.contains('nvidia-container-devices'))") -}}
{{- end }}

{{/* Below or above what leads to devices; a path with `..`, `.` or `//` is not followed but refused. */}}
{{- define "gpu-sharing.hostPath" -}}
{{- $odd := "^$|^[^/]|(^|/)\\.{1,2}(/|$)|//" -}}
{{- $run := "nvidia.*|(cdi|nri|containerd|crio|docker|docker\\.sock|k3s|cri-dockerd\\.sock|podman|systemd|dbus)(/.*)?" -}}
{{- $etc := "(cdi|nri|containerd|crio|docker|kubernetes|nvidia-container-runtime)(/.*)?" -}}
{{- $lib := "(kubelet|rancher|containerd|containers|docker)(/.*)?" -}}
{{- $below := printf "^/(dev|proc|sys|opt/nri|usr/local/nvidia/toolkit)(/.*)?$|^/(var/)?run/(%s)$|^/etc/(%s)$|^/var/lib/(%s)$" $run $etc $lib -}}
{{- $above := "^/((var/)?run|etc|opt|var|var/lib|usr|usr/local|usr/local/nvidia)?/?$" -}}
{{- $harmless := "^/dev/(shm|hugepages|infiniband|fuse|net/tun|null|zero|random|urandom)/?$" -}}
(has({{ . }}.spec.volumes) && {{ . }}.spec.volumes.exists(v, has(v.hostPath) && v.hostPath.path.matches(r'{{ $odd }}|{{ $below }}|{{ $above }}') && !v.hostPath.path.matches(r'{{ $harmless }}')))
{{- end }}

{{- define "gpu-sharing.hostNamespaces" -}}
((has({{ . }}.spec.hostPID) && {{ . }}.spec.hostPID) || (has({{ . }}.spec.hostIPC) && {{ . }}.spec.hostIPC) || (has({{ . }}.spec.hostNetwork) && {{ . }}.spec.hostNetwork))
{{- end }}

{{- define "gpu-sharing.runtimeClass" -}}
(has({{ . }}.spec.runtimeClassName) && {{ . }}.spec.runtimeClassName.startsWith('nvidia'))
{{- end }}

{{- define "gpu-sharing.annotations" -}}
{{- $keys := "'devices.noderesource.dev', 'cdi-devices.noderesource.dev', 'mounts.noderesource.dev', 'devices.nri.io', 'cdi-devices.nri.io', 'mounts.nri.io'" -}}
(has({{ . }}.metadata.annotations) && {{ . }}.metadata.annotations.exists(k, k.lowerAscii().matches(r'^([^/]*\.)?cdi\.k8s\.io(/|$)') || k.lowerAscii().split('/')[0] in [{{ $keys }}]))
{{- end }}

{{/* A CUDA image's version without NVIDIA_VISIBLE_DEVICES means every GPU to the toolkit. */}}
{{- define "gpu-sharing.cudaVersion" -}}
{{- $ask := "has(c.resources) && has(c.resources.limits) && c.resources.limits.exists(k, k.startsWith('nvidia.com/'))" -}}
{{- include "gpu-sharing.any" (dict "o" . "p" (printf "has(c.env) && c.env.exists(e, e.name == 'CUDA_VERSION' && (has(e.valueFrom) || (has(e.value) && e.value != ''))) && !c.env.exists(e, e.name == 'NVIDIA_VISIBLE_DEVICES') && !(%s)" $ask)) -}}
{{- end }}

{{/* Content that nobody sees, in a container whose GPU it could exchange. */}}
{{- define "gpu-sharing.envFrom" -}}
{{- $ask := "has(c.resources) && has(c.resources.limits) && c.resources.limits.exists(k, k.startsWith('nvidia.com/'))" -}}
{{- include "gpu-sharing.any" (dict "o" . "p" (printf "has(c.envFrom) && c.envFrom.exists(f, !has(f.prefix) || f.prefix == '' || f.prefix.startsWith('NVIDIA_') || 'NVIDIA_'.startsWith(f.prefix) || f.prefix.startsWith('CUDA_') || 'CUDA_'.startsWith(f.prefix)) && %s" $ask)) -}}
{{- end }}

{{- define "gpu-sharing.deviceClass" -}}
{{- $class := "k.startsWith('deviceclass.resource.kubernetes.io/')" -}}
{{- include "gpu-sharing.any" (dict "o" . "p" (printf "has(c.resources) && ((has(c.resources.limits) && c.resources.limits.exists(k, %s)) || (has(c.resources.requests) && c.resources.requests.exists(k, %s)))" $class $class)) -}}
{{- end }}

{{/* Set by the scheduler later, so it counts at CREATE only. */}}
{{- define "gpu-sharing.nodeName" -}}
(request.operation == 'CREATE' && has({{ . }}.spec.nodeName) && {{ . }}.spec.nodeName != '')
{{- end }}

{{- define "gpu-sharing.tolerations" -}}
(has({{ . }}.spec.tolerations) && {{ . }}.spec.tolerations.exists(t, !has(t.key) || t.key == ''))
{{- end }}

{{/* The list that CRI-O reads, with anything on it that is not known to be harmless. */}}
{{- define "gpu-sharing.crioDevices" -}}
{{- $key := "k.lowerAscii().startsWith('io.kubernetes.cri-o.devices') || k.lowerAscii().startsWith('devices.crio.io')" -}}
(has({{ . }}.metadata.annotations) && {{ . }}.metadata.annotations.exists(k, ({{ $key }}) && {{ . }}.metadata.annotations[k].split(',').exists(d, !d.matches(r'^ *(/dev/(fuse|net/tun|null|zero|random|urandom|hugepages|infiniband)(:.*)?)? *$'))))
{{- end }}

{{/* Our label on a pod that asks for nothing. */}}
{{- define "gpu-sharing.label" -}}
(has({{ . }}.metadata.labels) && 'gpu-sharing.io/strategy' in {{ . }}.metadata.labels && !{{ include "gpu-sharing.asks" . }})
{{- end }}

{{/* What MPS mounts itself, in a pod that is pinned to MPS. */}}
{{- define "gpu-sharing.mpsMounts" -}}
(has({{ . }}.spec.affinity) && has({{ . }}.spec.affinity.nodeAffinity) && has({{ . }}.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution) && {{ . }}.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.exists(t, has(t.matchExpressions) && t.matchExpressions.exists(e, e.key == 'nvidia.com/gpu.sharing-strategy' && has(e.values) && 'mps' in e.values)) && {{ include "gpu-sharing.any" (dict "o" . "p" "has(c.volumeMounts) && c.volumeMounts.exists(m, m.mountPath.matches(r'^/+(mps|dev/+shm)(/|$)'))") }})
{{- end }}

{{/* What only the webhook judges, since it needs the policy, or the rest of the pod. */}}
{{- define "gpu-sharing.toJudge" -}}
{{- $version := "has(c.env) && (c.env.exists(e, e.name.startsWith('CUDA_MPS_')) || (c.env.exists(e, e.name == 'CUDA_VERSION') && !c.env.exists(e, e.name == 'NVIDIA_VISIBLE_DEVICES')))" -}}
{{ include "gpu-sharing.any" (dict "o" . "p" $version) }} ||
{{ include "gpu-sharing.nodeName" . }} ||
(has({{ . }}.spec.tolerations) && {{ . }}.spec.tolerations.exists(t, !has(t.key) || t.key == '' || t.key == 'gpu-sharing.io/tenant')) ||
(has({{ . }}.metadata.annotations) && {{ . }}.metadata.annotations.exists(k, k.lowerAscii().startsWith('io.kubernetes.cri-o.devices') || k.lowerAscii().startsWith('devices.crio.io'))) ||
(has({{ . }}.metadata.labels) && 'gpu-sharing.io/strategy' in {{ . }}.metadata.labels)
{{- end }}

{{/* Any of them. */}}
{{- define "gpu-sharing.reaches" -}}
{{ include "gpu-sharing.asks" . }} ||
{{ include "gpu-sharing.claims" . }} ||
{{ include "gpu-sharing.visibility" . }} ||
{{ include "gpu-sharing.privileged" . }} ||
{{ include "gpu-sharing.capabilities" . }} ||
{{ include "gpu-sharing.mounts" . }} ||
{{ include "gpu-sharing.hostPath" . }} ||
{{ include "gpu-sharing.hostNamespaces" . }} ||
{{ include "gpu-sharing.runtimeClass" . }} ||
{{ include "gpu-sharing.annotations" . }} ||
{{ include "gpu-sharing.toJudge" . }}
{{- end }}
