#!/bin/sh
# Makes five machines into nodes: a collateral on the development chain, an operator's wallet, a join token, and `node-agent
# join` into the volume that the machine's agent runs on. A machine that has joined is left as it is.
#
# The sizes are declared, not measured: five machines share one, and a tier asks for at least its minimum.
set -eu
export HOME=/tmp XDG_CONFIG_HOME=/tmp/config

# The indexer needs a moment until it has seen a new collateral; a join before that is refused.
TRIES=30 PAUSE=2

# join NUMBER TIER PLACE CAPACITY
join() {
    number=$1 tier=$2 place=$3 capacity=$4
    data=/nodes/$number keep=/operators/$number ip=10.$((208 + number)).0.10
    if node-agent --data-dir "$data" status >/dev/null 2>&1; then
        echo "join-nodes: node $number has joined before"
        return
    fi
    mkdir -p "$keep"
    if [ ! -s "$keep/fluxnode.json" ]; then
        devnet addnode --tier "$tier" --ip "$ip:16127" --fast >"$keep/fluxnode.new"
        mv "$keep/fluxnode.new" "$keep/fluxnode.json"
    fi
    collateral=$(sed -n 's/^ *"collateral": "\(.*\)",$/\1/p' "$keep/fluxnode.json")
    (umask 077 && sed -n 's/^ *"node_key": "\(.*\)",$/\1/p' "$keep/fluxnode.json" >"$keep/node.wif")
    [ -s "$keep/operator.wif" ] || fluxctl wallet new --key-file "$keep/operator.wif" >/dev/null
    fluxctl --profile "operator-$number" login --key-file "$keep/operator.wif" >/dev/null

    tries=0
    until fluxctl --profile "operator-$number" node join --collateral "$collateral" --node-key-file "$keep/node.wif" \
        --ip "$ip" --static-ip --place "$place" --data-dir "$data" --files /tmp \
        -- --capacity-override "$capacity" --benchmark-seconds 2; do
        tries=$((tries + 1))
        if [ "$tries" -ge "$TRIES" ]; then
            echo "join-nodes: node $number was refused $TRIES times" >&2
            exit 1
        fi
        sleep "$PAUSE"
    done
}

join 1 cumulus EU_DE_Bavaria threads=4,ram=8000,disk=250
join 2 cumulus NA_US_Oregon threads=4,ram=8000,disk=250
join 3 nimbus EU_FI_Uusimaa threads=8,ram=32000,disk=500
join 4 nimbus NA_CA_Ontario threads=8,ram=32000,disk=500
join 5 stratus AS_SG threads=16,ram=64000,disk=1000
echo "join-nodes: five nodes have joined"
