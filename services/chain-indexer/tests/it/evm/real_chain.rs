//! The token on anvil: what is indexed is what the contract did.

use alloy_primitives::{Address, U256};
use serde_json::json;

use super::{
    anvil::{Anvil, word},
    node::Node,
    parties::address,
    place::{Kind, Place, assert_same, level, settle, token},
};

const CHAIN_ID: u64 = 31_337;

/// Makes, moves and burns tokens: 16 transfers in 5 blocks.
async fn business(anvil: &Anvil, contract: Address) {
    let account = |n: usize| anvil.accounts[n].into_word();
    let amount = |n: u64| word(U256::from(n));
    anvil
        .send(
            0,
            contract,
            "mint(address,uint256)",
            &[account(0), amount(5_000_000)],
        )
        .await;
    anvil
        .send(
            0,
            contract,
            "transfer(address,uint256)",
            &[account(1), amount(1_234_567)],
        )
        .await;
    // Nobody's approval is a transfer.
    anvil
        .send(
            1,
            contract,
            "approve(address,uint256)",
            &[account(2), amount(99)],
        )
        .await;
    let moved = [account(1), address(0x77).into_word(), amount(99)];
    anvil
        .send(2, contract, "transferFrom(address,address,uint256)", &moved)
        .await;
    let many = [address(0x40).into_word(), amount(12), amount(3)];
    anvil
        .send(0, contract, "spread(address,uint256,uint256)", &many)
        .await;
    anvil
        .send(1, contract, "burn(uint256)", &[amount(1_000)])
        .await;
}

/// What an account has, from its transfers alone.
async fn balance(place: &Place, account: Address) -> U256 {
    let account = format!("decode('{}', 'hex')", hex::encode(account));
    let sum = format!(
        "SELECT coalesce(sum(CASE WHEN to_address = {account} THEN amount ELSE 0 END)
                       - sum(CASE WHEN from_address = {account} THEN amount ELSE 0 END), 0) FROM evm_transfer"
    );
    place.asset(&sum).await.parse().unwrap()
}

/// Supply and balances are those the contract states.
async fn agrees(place: &Place, anvil: &Anvil, contract: Address) {
    let supply = anvil.ask(contract, "totalSupply()", &[]).await;
    assert_eq!(place.asset("a.minted - a.burned").await, supply.to_string());
    let mut holders = anvil.accounts[..3].to_vec();
    holders.extend([address(0x77), address(0x40)]);
    for holder in holders {
        let stated = anvil
            .ask(contract, "balanceOf(address)", &[holder.into_word()])
            .await;
        assert_eq!(balance(place, holder).await, stated, "{holder}");
    }
}

#[tokio::test]
async fn what_the_contract_did_is_indexed_to_the_last_unit() {
    let Some(anvil) = Anvil::start(CHAIN_ID).await else {
        return;
    };
    anvil.mine(20).await;
    let contract = anvil.deploy().await;
    business(&anvil, contract).await;
    // The whole of uint256, made and burned: 78 digits.
    let rest = U256::MAX - anvil.ask(contract, "totalSupply()", &[]).await;
    let mint = [anvil.accounts[3].into_word(), word(rest)];
    anvil
        .send(3, contract, "mint(address,uint256)", &mint)
        .await;
    anvil
        .send(3, contract, "burn(uint256)", &[word(rest)])
        .await;
    let place = Place::new().await;
    let token = token(CHAIN_ID, contract);
    let mut follower = place.follower(&token, &anvil.url).await;
    level(&mut follower).await;
    agrees(&place, &anvil, contract).await;
    assert_eq!(place.asset("a.transfer_count").await, "18");
    let largest = place.asset("SELECT max(amount) FROM evm_transfer").await;
    assert_eq!(largest, rest.to_string());
    assert_eq!(largest.len(), 78);

    let height = anvil.height().await;
    let events = place.announced().await;
    let (seen, last): (Vec<_>, Vec<_>) = events.iter().partition(|event| event.kind == Kind::Seen);
    assert_eq!(seen.len(), 18);
    assert!(last.iter().all(|event| event.transfer.height + 5 <= height));
    anvil.mine(5).await;
    level(&mut follower).await;
    let rest = place.announced().await;
    assert!(rest.iter().all(|event| event.kind == Kind::Final));
    assert_eq!(last.len() + rest.len(), 18, "each is final once");
}

#[tokio::test]
async fn reorganisations_of_a_real_node_are_followed() {
    let Some(anvil) = Anvil::start(CHAIN_ID).await else {
        return;
    };
    let contract = anvil.deploy().await;
    business(&anvil, contract).await;
    anvil.mine(10).await;
    let place = Place::new().await;
    let token = token(CHAIN_ID, contract);
    let mut follower = place.follower(&token, &anvil.url).await;
    level(&mut follower).await;
    let snapshot = anvil.snapshot().await;
    let mint = [anvil.accounts[1].into_word(), word(U256::from(77))];
    anvil
        .send(0, contract, "mint(address,uint256)", &mint)
        .await;
    anvil
        .send(1, contract, "burn(uint256)", &[word(U256::from(7))])
        .await;
    level(&mut follower).await;
    agrees(&place, &anvil, contract).await;
    place.announced().await;
    // Back two blocks, and on with others.
    anvil.revert(snapshot).await;
    settle(&mut follower).await;
    assert!(place.asset("n.problem").await.contains("behind"));
    let mint = [anvil.accounts[2].into_word(), word(U256::from(78))];
    anvil
        .send(0, contract, "mint(address,uint256)", &mint)
        .await;
    anvil.mine(2).await;
    level(&mut follower).await;
    agrees(&place, &anvil, contract).await;
    let kinds: Vec<(Kind, String)> = place
        .announced()
        .await
        .into_iter()
        .map(|event| (event.kind, event.transfer.amount))
        .collect();
    let expected = [
        (Kind::Reorganised, "7".to_owned()),
        (Kind::Reorganised, "77".to_owned()),
        (Kind::Seen, "78".to_owned()),
    ];
    assert_eq!(kinds, expected);

    // The node's own way: the last three blocks again, empty.
    anvil.call("anvil_reorg", json!([3, []])).await;
    level(&mut follower).await;
    agrees(&place, &anvil, contract).await;
    let straight = Place::new().await;
    level(&mut straight.follower(&token, &anvil.url).await).await;
    assert_eq!(
        place.dump().await["evm_transfer"],
        straight.dump().await["evm_transfer"]
    );
}

#[tokio::test]
async fn a_real_node_behind_a_strict_provider_gives_the_same() {
    let Some(anvil) = Anvil::start(CHAIN_ID).await else {
        return;
    };
    anvil.mine(150).await;
    let contract = anvil.deploy().await;
    business(&anvil, contract).await;
    anvil.mine(150).await;
    business(&anvil, contract).await;
    let token = token(CHAIN_ID, contract);
    let free = Place::new().await;
    level(&mut free.follower(&token, &anvil.url).await).await;
    let provider = Node::before(&anvil.url).await;
    provider.world().most_blocks = Some(9);
    let place = Place::new().await;
    level(&mut place.follower(&token, &provider.url()).await).await;
    assert_same(&place.dump().await, &free.dump().await, "strict provider");
    let world = provider.world();
    let given = world.ranges.iter().filter(|(_, _, given)| *given);
    let most = given.map(|(first, last, _)| last - first + 1).max();
    assert_eq!(most, Some(9), "as much as the provider gives");
}

#[tokio::test]
async fn another_chain_and_an_address_without_contract_are_refused() {
    let Some(anvil) = Anvil::start(CHAIN_ID).await else {
        return;
    };
    let contract = anvil.deploy().await;
    let place = Place::new().await;
    let mut follower = place.follower(&token(1, contract), &anvil.url).await;
    let said = settle(&mut follower).await;
    assert!(
        said.contains("chain 31337") && said.contains("chain 1;"),
        "{said}"
    );
    let place = Place::new().await;
    let nowhere = address(0x99);
    let mut follower = place.follower(&token(CHAIN_ID, nowhere), &anvil.url).await;
    let said = settle(&mut follower).await;
    assert!(
        said.contains("no contract") && said.contains(&nowhere.to_string()),
        "{said}"
    );
    let mut wrong = token(CHAIN_ID, contract);
    wrong.decimals = 18;
    let place = Place::new().await;
    let said = settle(&mut place.follower(&wrong, &anvil.url).await).await;
    assert!(
        said.contains("8 decimals") && said.contains("says 18"),
        "{said}"
    );
}
