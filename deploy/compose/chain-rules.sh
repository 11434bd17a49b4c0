#!/bin/sh
# Asks the development chain for its rules and keys and writes them down as configuration, so that they stand in one place only.
#
# A development chain has no secrets: its keys follow from its seed. Two of its accounts are used, from the end of the list, so
# that the first ones stay free for people: `account-8` is paid for applications, `account-9` pays for anchors.
set -eu

devnet accounts >/tmp/accounts
# account NAME KEY: a value of the account, out of the printed JSON.
account() {
    value=$(sed -n "/\"name\": \"$1\"/,/}/s/^ *\"$2\": \"\(.*\)\",*\$/\1/p" /tmp/accounts)
    if [ -z "$value" ]; then
        echo "chain-rules: the chain has no account $1 with a $2" >&2
        exit 1
    fi
    printf '%s' "$value"
}
payee=$(account account-8 address)
anchor=$(account account-9 wif)

{
    echo "[payments]"
    echo "addresses = [{ address = \"$payee\" }]"
    echo "[chain.devnet]"
    # One `"key": value,` a line; what is null keeps the indexer's default, and two of them are no rules.
    devnet params | sed -n -e '/": null/d' -e '/"network"/d' -e '/"genesis_hash"/d' \
        -e 's/^ *"\([a-z_]*\)": \([^,]*\),\{0,1\}$/\1 = \2/p'
} >/chain/chain-indexer.toml.new
printf '[quotes]\npayment_address = "%s"\n' "$payee" >/chain/billing.toml.new
printf '%s' "$anchor" >/chain/anchor.wif.new

# The account's own coin has the size of a collateral, which the validator leaves alone.
[ -e /chain/anchor.wif ] || devnet faucet "$(account account-9 address)" 10 >/dev/null

for file in chain-indexer.toml billing.toml anchor.wif; do
    mv -f "/chain/$file.new" "/chain/$file"
done

echo "chain-rules: applications are paid to $payee"
