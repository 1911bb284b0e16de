"""`gpu-sharing review`: what becomes of the pods of some manifests."""
