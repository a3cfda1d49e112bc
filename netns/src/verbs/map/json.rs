//! The map for programs: an object for each namespace.

use crate::netlink::links::Link;
use crate::netlink::routes::Way;
use crate::survey::Survey;
use crate::survey::published::Published;
use crate::survey::space::Space;
use crate::survey::wiring::End;
use serde_json::{Value, json};

/// The lines.
pub fn lines(survey: &Survey) -> Vec<String> {
    (0..survey.spaces.len()).map(|space| object(survey, space).to_string()).collect()
}

/// All of one namespace.
pub fn object(survey: &Survey, index: usize) -> Value {
    let space = &survey.spaces[index];
    let mut object = json!({
        "inode": space.inode,
        "own": space.is_own,
        "names": space.names,
        "files": space.files.iter().map(|file| file.to_string_lossy()).collect::<Vec<_>>(),
        "processes": space.processes.iter()
            .map(|process| json!({ "pid": process.pid, "command": process.command })).collect::<Vec<_>>(),
        "networks": survey.memberships(index).iter()
            .map(|member| json!({ "name": member.network, "host": member.name })).collect::<Vec<_>>(),
        "interfaces": space.links.iter().map(|link| interface(survey, index, link)).collect::<Vec<_>>(),
        "routes": space.ways.iter().map(|way| route(space, way)).collect::<Vec<_>>(),
        "listens": space.listeners.iter().map(|socket| json!({
            "protocol": socket.protocol.to_string(), "address": socket.at.ip(), "port": socket.at.port(),
        })).collect::<Vec<_>>(),
        "publishes": publishes(survey, index),
    });
    if let Some(trouble) = &space.trouble {
        object["error"] = trouble.as_str().into();
    }
    object
}

fn interface(survey: &Survey, space: usize, link: &Link) -> Value {
    let here = &survey.spaces[space];
    let mut object = json!({
        "name": link.name,
        "index": link.index,
        "kind": link.kind,
        "up": link.is_up,
        "carrier": link.has_carrier,
        "mtu": link.mtu,
        "addresses": here.addresses_of(link.index).map(|address| address.cidr.to_string()).collect::<Vec<_>>(),
    });
    let bridge = link.master.and_then(|index| here.link(index)).map(|bridge| bridge.name.clone());
    let optional = [
        ("mac", link.mac.map(|mac| mac.to_string().into())),
        ("bridge", bridge.map(Value::from)),
        ("alias", link.alias.clone().map(Value::from)),
        ("peer", survey.wiring.peer(End { space, index: link.index }).map(|end| peer(survey, end))),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            object[name] = value;
        }
    }
    object
}

fn peer(survey: &Survey, end: End) -> Value {
    let there = &survey.spaces[end.space];
    let name = there.link(end.index).map(|link| link.name.as_str());
    json!({ "interface": name, "index": end.index, "inode": there.inode, "netns": there.label() })
}

fn route(space: &Space, way: &Way) -> Value {
    let interface = way.index.and_then(|index| space.link(index)).map(|link| link.name.clone());
    let mut object = json!({ "to": way.to.to_string() });
    let optional = [("via", way.via.map(|ip| ip.to_string())), ("interface", interface)];
    for (name, value) in optional {
        if let Some(value) = value {
            object[name] = value.into();
        }
    }
    object
}

fn publishes(survey: &Survey, space: usize) -> Vec<Value> {
    let object = |(published, to): (&Published, Option<End>)| {
        let mut object = port(published);
        if let Some(end) = to {
            object["netns"] = survey.spaces[end.space].label().into();
        }
        object
    };
    survey.published(space).map(object).collect()
}

/// A port that leads elsewhere.
pub fn port(published: &Published) -> Value {
    let mut object = json!({
        "protocol": published.protocol.to_string(),
        "port": published.port,
        "to": { "address": published.to.ip(), "port": published.to.port() },
    });
    let optional =
        [("address", published.address.map(|ip| ip.to_string())), ("comment", published.comment.clone())];
    for (name, value) in optional {
        if let Some(value) = value {
            object[name] = value.into();
        }
    }
    object
}
