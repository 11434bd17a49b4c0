//! The verbs that call a server: what was typed as a JSON-RPC call, and its result as JSON on stdout.

use std::{io::Write as _, path::Path};

use serde_json::{Value, json};

use crate::{
    cli::{ServerArgs, Switch, Verb},
    client::Client,
    options::Credentials,
};

/// A call to be made.
struct Call {
    server: ServerArgs,
    method: String,
    params: Vec<Value>,
}

fn to(server: ServerArgs, method: &str, params: Vec<Value>) -> Call {
    Call {
        server,
        method: method.to_owned(),
        params,
    }
}

pub(super) async fn call(verb: Verb) -> anyhow::Result<()> {
    let Call {
        server,
        method,
        params,
    } = call_of(verb)?;
    let credentials = Credentials {
        user: server.user,
        password: server.password,
    };
    let client = Client::new(&server.url, &credentials)?;
    let text = client.call_text(&method, &params).await?;
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", pretty(&text))?;
    Ok(())
}

fn call_of(verb: Verb) -> anyhow::Result<Call> {
    Ok(match verb {
        Verb::Run(_) | Verb::Replay(_) => anyhow::bail!("this verb serves and calls nobody"),
        Verb::Generate { server, blocks } => to(server, "generate", vec![json!(blocks)]),
        Verb::Faucet {
            server,
            address,
            amount,
        } => to(server, "devnet_faucet", vec![json!(address), json!(amount)]),
        Verb::Reorg {
            server,
            depth,
            blocks,
        } => {
            let params = std::iter::once(depth).chain(blocks);
            to(server, "devnet_reorg", params.map(Value::from).collect())
        }
        Verb::Snapshot { server, file } => {
            let file = file.map(|file| absolute(&file)).transpose()?;
            to(server, "devnet_snapshot", file.into_iter().collect())
        }
        Verb::Restore { server, file } => to(server, "devnet_restore", vec![absolute(&file)?]),
        Verb::AddNode(args) => {
            let request = json!({
                "tier": args.tier,
                "ip": args.ip,
                "collateral_key": args.collateral_key,
                "node_key": args.node_key,
                "fast": args.fast,
            });
            to(args.server, "devnet_addnode", vec![request])
        }
        Verb::RemoveNode(node) => to(
            node.server,
            "devnet_removenode",
            vec![json!(node.collateral)],
        ),
        Verb::StopNode(node) => to(node.server, "devnet_stopnode", vec![json!(node.collateral)]),
        Verb::StartNode(node) => to(
            node.server,
            "devnet_startnode",
            vec![json!(node.collateral)],
        ),
        Verb::SetNodeIp { node, ip } => to(
            node.server,
            "devnet_setnodeip",
            vec![json!(node.collateral), json!(ip)],
        ),
        Verb::Nodes(server) => to(server, "devnet_nodes", Vec::new()),
        Verb::Accounts(server) => to(server, "devnet_accounts", Vec::new()),
        Verb::Params(server) => to(server, "devnet_params", Vec::new()),
        Verb::SetInterval { server, interval } => {
            let millis = u64::try_from(interval.as_millis())?;
            to(server, "devnet_setinterval", vec![json!(millis)])
        }
        Verb::Mine { server, state } => to(server, "devnet_mine", vec![json!(state == Switch::On)]),
        Verb::Step { server, blocks } => to(server, "devnet_step", vec![json!(blocks)]),
        Verb::Height(server) => to(server, "devnet_height", Vec::new()),
        Verb::Call {
            server,
            method,
            params,
        } => {
            let params = typed(&method, params);
            to(server, &method, params)
        }
    })
}

/// The server may stand in another folder.
fn absolute(path: &Path) -> anyhow::Result<Value> {
    Ok(json!(std::path::absolute(path)?))
}

/// JSON where it is JSON, else text. The daemon wants the height of `getblock` as a text.
fn typed(method: &str, params: Vec<String>) -> Vec<Value> {
    let params = params.into_iter().enumerate();
    params
        .map(|(index, text)| {
            if method == "getblock" && index == 0 {
                return Value::String(text);
            }
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        })
        .collect()
}

/// Breaks the text of a JSON value into lines without touching its digits or the order of its keys.
fn pretty(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let mut in_text = false;
    let mut escaped = false;
    let mut characters = text.chars().peekable();
    let line = |shown: &mut String, depth: usize| {
        shown.push('\n');
        shown.push_str(&"  ".repeat(depth));
    };
    while let Some(character) = characters.next() {
        if in_text {
            shown.push(character);
            in_text = escaped || character != '"';
            escaped = character == '\\' && !escaped;
            continue;
        }
        match character {
            '"' => {
                in_text = true;
                shown.push(character);
            }
            '{' | '[' => {
                shown.push(character);
                let close = if character == '{' { '}' } else { ']' };
                if characters.next_if_eq(&close).is_some() {
                    shown.push(close);
                } else {
                    depth += 1;
                    line(&mut shown, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut shown, depth);
                shown.push(character);
            }
            ',' => {
                shown.push(character);
                line(&mut shown, depth);
            }
            ':' => shown.push_str(": "),
            other => shown.push(other),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_digits_keys_and_texts() {
        let text = r#"{"value":1.50000000,"a":[],"b":["x:{\"y\",}",{}],"a":null}"#;
        let expected = "{\n  \"value\": 1.50000000,\n  \"a\": [],\n  \"b\": [\n    \"x:{\\\"y\\\",}\",\n    {}\n  ],\n  \"a\": null\n}";
        assert_eq!(pretty(text), expected);
    }

    #[test]
    fn a_height_of_getblock_stays_a_text() {
        let typed = |method: &str, text: &str| typed(method, vec![text.to_owned()]);
        assert_eq!(typed("getblock", "5"), [json!("5")]);
        assert_eq!(typed("getblockhash", "5"), [json!(5)]);
        assert_eq!(typed("validateaddress", "tm1"), [json!("tm1")]);
    }
}
