"""The admission webhook and the command, whose imports go downwards only.

`cli` joins everything into the `gpu-sharing` command; `server` turns HTTP into values and back;
`kube` keeps a picture of the nodes and namespaces; `core` decides. One admission is one
function: `webhook.core.admit.admit`.
"""
