"""Starting a cluster's parts in order, and settling for less where a node cannot be."""

import time
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.cluster import control_plane, machine, network, node, programs, state
from tests.e2e.cluster.build import Builder, builder
from tests.e2e.cluster.cluster import CONTROL_PLANE_ONLY, FULL, Cluster
from tests.e2e.cluster.control_plane import Site
from tests.e2e.cluster.errors import NotReadyError
from tests.e2e.cluster.kubeconfig import write_kubeconfig
from tests.e2e.cluster.pki import new_authority
from tests.e2e.cluster.sandbox import open_sandbox
from tests.e2e.cluster.servers import Servers
from tests.e2e.cluster.service import Service
from tests.e2e.cluster.settings import Node, Options
from tests.e2e.cluster.waiting import tell


def start(directory: Path, options: Options) -> Cluster:
    """Start everything in a new state directory; return when pods can be made."""
    machine.require(machine.ANYWHERE)
    reason = machine.reason_without_node(options.node)
    if reason and options.node is Node.FULL:
        raise NotReadyError(f"no real node: {reason}")
    build = builder(options.kubernetes)
    wanted = programs.CONTROL_PLANE if reason else programs.CONTROL_PLANE + programs.NODE
    paths = build.paths(wanted)
    began = time.monotonic()
    sandbox = open_sandbox(directory, node=not reason, detached=options.detached)
    network.lay(sandbox)
    site = Site(sandbox, paths, new_authority(directory / "pki"))
    cluster = _start_control_plane(site, build, options, routes_itself=bool(reason))
    if not reason:
        reason = _try_node(cluster, options)
    cluster.node_kind, cluster.node_reason = (CONTROL_PLANE_ONLY, reason) if reason else (FULL, "")
    _remember(cluster, options)
    kind = ": ".join(filter(None, (cluster.node_kind, cluster.node_reason)))
    tell(f"Kubernetes {options.kubernetes} up in {time.monotonic() - began:.1f} s ({kind})")
    return cluster


def _start_control_plane(
    site: Site, build: Builder, options: Options, *, routes_itself: bool
) -> Cluster:
    admin = write_kubeconfig(site.authority, "admin", "admin", "system:masters")
    more = options.apiserver_arguments
    store = control_plane.etcd(site)
    api = control_plane.api_server(site, routes_itself=routes_itself, more=more)
    cluster = Cluster(site, admin, api, Servers(site.sandbox), CONTROL_PLANE_ONLY)
    for service in (store, api):
        service.start()
    cluster.wait_for_api()
    controllers = control_plane.controller_manager(site)
    others = (controllers, control_plane.scheduler(site), control_plane.kwok(site, build.stages()))
    for service in others:
        service.start()
    controllers.wait_until(
        lambda: cluster.kubectl("get", "serviceaccount", "default").returncode == 0,
        seconds=60,
        what="the default service account is there",
    )
    return cluster


def _try_node(cluster: Cluster, options: Options) -> str | None:
    """Start the node; if that fails, go on without it and return the reason."""
    services: list[Service] = []
    try:
        _start_node(cluster, services)
    except (NotReadyError, OSError) as error:
        if options.node is Node.FULL:
            raise
        tell(f"no real node: {error}")
        _give_up_node(cluster, services, options)
        return _in_a_line(error)
    return None


def _start_node(cluster: Cluster, started: list[Service]) -> None:
    """Start runtime, kubelet and proxy, each once the one before can be used."""
    site = cluster.site
    runtime = node.containerd(site)
    _start(runtime, started)
    socket = site.sandbox.state / "node/run/containerd/containerd.sock"
    runtime.wait_until(socket.exists, seconds=30, what="containerd listens")
    node.load_pause(site)
    kubelet = node.kubelet(site, site.sandbox.state.name)
    _start(kubelet, started)
    _start(node.kube_proxy(site), started)
    ready = "jsonpath={.status.conditions[?(@.type=='Ready')].status}"
    kubelet.wait_until(
        lambda: cluster.kubectl("get", "node", node.NAME, "-o", ready).stdout == "True",
        seconds=60,
        what="the node is Ready",
    )


def _start(service: Service, started: list[Service]) -> None:
    service.start()
    started.append(service)


def _give_up_node(cluster: Cluster, services: Sequence[Service], options: Options) -> None:
    """End the node's parts, and let the API server route to Services itself."""
    for service in reversed(services):
        service.stop()
    cluster.kubectl("delete", "node", node.NAME, "--ignore-not-found")
    cluster.api_server.stop(seconds=2)
    more = options.apiserver_arguments
    cluster.api_server = control_plane.api_server(cluster.site, routes_itself=True, more=more)
    cluster.api_server.start()
    cluster.wait_for_api()


def _in_a_line(error: Exception) -> str:
    """What happened, and the last thing the program said about it."""
    lines = str(error).splitlines()
    return f"{lines[0]}: {lines[-1]}" if len(lines) > 1 else str(error)


def _remember(cluster: Cluster, options: Options) -> None:
    """Keep what `status` and `env` tell."""
    sandbox = cluster.site.sandbox
    facts = {
        "kubernetes": options.kubernetes,
        "node": cluster.node_kind,
        "reason": cluster.node_reason,
        "kubeconfig": str(cluster.kubeconfig),
        "detached": options.detached,
    }
    state.remember(sandbox.state, facts)
    commands = sandbox.state / "bin"
    commands.mkdir()
    for name in ("kubectl", "ctr"):
        if name in cluster.site.programs:
            line = sandbox.inside([cluster.site.programs[name]])
            script = commands / name
            script.write_text(f'#!/bin/sh\nexec {" ".join(line)} "$@"\n', encoding="utf-8")
            script.chmod(0o755)
