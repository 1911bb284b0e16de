module gpu-sharing.test/pause

go 1.26.0
