//! anvil, and the test token on it.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use alloy_primitives::{Address, B256, U256};
use fluxplane_testkit::{eventually, skip};
use serde_json::{Value, json};

/// Time it gets to come up.
const START_LIMIT: Duration = Duration::from_secs(20);

/// A running anvil with a chain of its own, killed on drop. Every transaction is a block.
#[derive(Debug)]
pub(crate) struct Anvil {
    child: Child,
    pub(crate) url: String,
    http: reqwest::Client,
    /// Accounts that it signs for.
    pub(crate) accounts: Vec<Address>,
    token: Value,
    _dir: tempfile::TempDir,
}

/// Where `scripts/anvil.sh` puts it, or else wherever the machine has it.
fn program() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let ours = root.join(".tools/bin/anvil");
    if ours.exists() {
        return Some(ours);
    }
    let installed = Command::new("anvil")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    installed.is_ok().then(|| PathBuf::from("anvil"))
}

impl Anvil {
    /// Starts one. `None`, with a line that says why, on a machine without it.
    pub(crate) async fn start(chain_id: u64) -> Option<Self> {
        let Some(program) = program() else {
            skip::say("anvil is missing; `make setup` fetches it with npm");
            return None;
        };
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program)
            .args(["--host", "127.0.0.1", "--port", "0", "--threads", "1"])
            .args(["--chain-id", &chain_id.to_string()])
            .stdin(Stdio::null())
            .stdout(File::create(&log).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let url = eventually(START_LIMIT, async || {
            let text = std::fs::read_to_string(&log).unwrap();
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix("Listening on "));
            line.map(|address| format!("http://{address}")).ok_or(text)
        })
        .await;
        let fixtures = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/evm/token.json"
        );
        let mut anvil = Self {
            child,
            url,
            http: fluxplane_platform::http::client(Duration::from_secs(10)).unwrap(),
            accounts: Vec::new(),
            token: serde_json::from_slice(&std::fs::read(fixtures).unwrap()).unwrap(),
            _dir: dir,
        };
        let accounts = anvil.call("eth_accounts", json!([])).await;
        anvil.accounts = accounts
            .as_array()
            .unwrap()
            .iter()
            .map(|account| account.as_str().unwrap().parse().unwrap())
            .collect();
        Some(anvil)
    }

    pub(crate) async fn call(&self, method: &str, params: Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let request = self.http.post(&self.url).json(&body);
        let mut reply: Value = request.send().await.unwrap().json().await.unwrap();
        assert!(reply["error"].is_null(), "{method}: {reply}");
        reply["result"].take()
    }

    /// Puts the token on the chain.
    pub(crate) async fn deploy(&self) -> Address {
        let receipt = self.transact(0, None, self.token["bytecode"].clone()).await;
        receipt["contractAddress"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    }

    /// Calls the token from account `from`; returns the receipt.
    pub(crate) async fn send(
        &self,
        from: usize,
        token: Address,
        function: &str,
        arguments: &[B256],
    ) -> Value {
        let data = json!(self.encode(function, arguments));
        self.transact(from, Some(token), data).await
    }

    /// Asks the token for a number.
    pub(crate) async fn ask(&self, token: Address, function: &str, arguments: &[B256]) -> U256 {
        let call = json!({ "to": token.to_string(), "data": self.encode(function, arguments) });
        let word = self.call("eth_call", json!([call, "latest"])).await;
        word.as_str().unwrap().parse().unwrap()
    }

    fn encode(&self, function: &str, arguments: &[B256]) -> String {
        let selector = self.token["selectors"][function].as_str().unwrap();
        let words: Vec<String> = arguments.iter().map(hex::encode).collect();
        format!("0x{selector}{}", words.concat())
    }

    async fn transact(&self, from: usize, to: Option<Address>, data: Value) -> Value {
        let transaction = json!({
            "from": self.accounts[from].to_string(), "to": to.map(|to| to.to_string()), "data": data, "gas": "0xf00000",
        });
        let hash = self.call("eth_sendTransaction", json!([transaction])).await;
        // A transaction is mined as it comes, but the receipt may take a moment.
        let receipt = eventually(START_LIMIT, async || {
            let receipt = self.call("eth_getTransactionReceipt", json!([hash])).await;
            if receipt.is_null() {
                Err("no receipt")
            } else {
                Ok(receipt)
            }
        })
        .await;
        assert_eq!(receipt["status"], "0x1", "{receipt}");
        receipt
    }

    pub(crate) async fn mine(&self, blocks: u64) {
        self.call("anvil_mine", json!([format!("{blocks:#x}")]))
            .await;
    }

    pub(crate) async fn height(&self) -> u64 {
        let height = self.call("eth_blockNumber", json!([])).await;
        let digits = height.as_str().unwrap().trim_start_matches("0x");
        u64::from_str_radix(digits, 16).unwrap()
    }

    pub(crate) async fn snapshot(&self) -> Value {
        self.call("evm_snapshot", json!([])).await
    }

    pub(crate) async fn revert(&self, snapshot: Value) {
        assert_eq!(self.call("evm_revert", json!([snapshot])).await, true);
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A number as an argument.
pub(crate) fn word(value: U256) -> B256 {
    B256::from(value.to_be_bytes::<32>())
}
