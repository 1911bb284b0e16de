{{/*
What the backstop takes from the policy in the values, so that it refuses whom the webhook refuses.
*/}}

{{/* What begins the validation of a check (root, key, built-in treatment of tenants, of others); empty
where the policy refuses nobody. */}}
{{- define "gpu-sharing.refuses" -}}
{{- $key := index . 1 }}
{{- $stated := dig "guards" $key dict ((index . 0).Values.policy | default dict) }}
{{- if not (kindIs "map" $stated) }}{{ $stated = dict "tenants" $stated "others" $stated }}{{ end }}
{{- $both := dict "tenants" (dig "tenants" (index . 2) $stated) "others" (dig "others" (index . 3) $stated) }}
{{- range $who, $what := $both }}
{{- if not (has $what (list "refuse" "warn" "off")) }}
{{- fail (printf "policy.guards.%s: %v for %s; write refuse, warn or \"off\" (in quotes), or both: {tenants: refuse, others: warn}" $key $what $who) }}
{{- end }}
{{- end }}
{{- $tenants := eq $both.tenants "refuse" }}
{{- $others := eq $both.others "refuse" }}
{{- if and $tenants $others }}!{{ else if $tenants }}!variables.tenant || !{{ else if $others }}variables.tenant || !{{ end }}
{{- end }}

{{/* Every key of the policy's guards is a check's: a typing error would leave it as built in. */}}
{{- define "gpu-sharing.knownGuards" -}}
{{- $known := include "gpu-sharing.guards" . | fromJsonArray }}
{{- range $key, $_ := dig "guards" dict (.Values.policy | default dict) }}
{{- if not (has $key $known) }}{{ fail (printf "policy.guards.%s: no such check; write one of %s" $key (join ", " $known)) }}{{ end }}
{{- end }}
{{- end }}

{{/* A pod `o` says what it is for. */}}
{{- define "gpu-sharing.classified" -}}
{{- $labels := dig "wellKnownLabels" (include "gpu-sharing.wellKnownLabels" . | fromJsonArray) (.root.Values.policy | default dict) -}}
(has({{ .o }}.metadata.labels) && ('gpu-sharing.io/workload' in {{ .o }}.metadata.labels
{{- range $label := $labels }} ||
{{ toJson $label.label }} in {{ $.o }}.metadata.labels{{ with $label.value }} && {{ $.o }}.metadata.labels[{{ toJson $label.label }}] == {{ toJson . }}{{ end }}
{{- end }}))
{{- end }}

{{/* Whose requests the policy lets through untouched. */}}
{{- define "gpu-sharing.notExempt" -}}
{{- with dig "exemptUsers" list (.Values.policy | default dict) }}
- name: not-exempt
  expression: >-
    !(request.userInfo.username in {{ toJson . }})
{{- end }}
{{- end }}

{{/* Whether a pod is a tenant's, by its namespace or by itself. */}}
{{- define "gpu-sharing.tenantVariable" -}}
- name: tenant
  expression: >-
    (has(namespaceObject.metadata.labels) && 'gpu-sharing.io/tenant' in namespaceObject.metadata.labels) ||
    (has(object.metadata.labels) && ('gpu-sharing.io/tenant' in object.metadata.labels ||
    ('gpu-sharing.io/workload' in object.metadata.labels && object.metadata.labels['gpu-sharing.io/workload'] == 'tenant'))) ||
    (has(namespaceObject.metadata.labels) && 'gpu-sharing.io/workload' in namespaceObject.metadata.labels &&
    namespaceObject.metadata.labels['gpu-sharing.io/workload'] == 'tenant' && !{{ include "gpu-sharing.classified" (dict "root" . "o" "object") | nindent 4 }})
{{- end }}
