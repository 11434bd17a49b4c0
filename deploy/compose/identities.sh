#!/bin/sh
# Makes what the containers of docker-compose.yml prove themselves with: certificates and passwords, each once. Every container
# gets a volume with what it needs to know and nothing else; only this job sees all of it.
#
# The folder /keep holds everything, /out/<container> is that container's volume.
set -eu
umask 077

fluxctl admin pki init --dir /keep/pki >/dev/null

# Users in the images.
PLANE=10001 POSTGRES=999 NATS=0 GRAFANA=472

# secret NAME: makes a random one unless it is there.
secret() {
    [ -s "/keep/$1" ] && return
    head -c 24 /dev/urandom | od -An -vtx1 | tr -d ' \n' >"/keep/$1.new"
    mv "/keep/$1.new" "/keep/$1"
}

# give CONTAINER USER FILE SOURCE: puts a copy where the container finds it, readable by its user alone. A rename, so that a
# reader sees the old or the new one.
give() {
    cp "$4" "/out/$1/.$3"
    chmod 0400 "/out/$1/.$3"
    chown "$2:$2" "/out/$1/.$3"
    mv -f "/out/$1/.$3" "/out/$1/$3"
}

secret nats-password
# service NAME ROLE
service() {
    secret "db-$2"
    give "$1" "$PLANE" ca.pem /keep/pki/ca.pem
    give "$1" "$PLANE" cert.pem "/keep/pki/$1.pem"
    give "$1" "$PLANE" key.pem "/keep/pki/$1.key"
    give "$1" "$PLANE" db-password "/keep/db-$2"
    give "$1" "$PLANE" nats-password /keep/nats-password
    give database-roles "$POSTGRES" "db-$2" "/keep/db-$2"
}
service billing billing
service chain-indexer indexer
service gateway gateway
service node-registry registry
service scheduler scheduler
service validator validator
# Certifies the machines of operators.
give node-registry "$PLANE" node-ca.pem /keep/pki/node-ca.pem
give node-registry "$PLANE" node-ca.key /keep/pki/node-ca.key

# Under these keys the scheduler seals what is private of applications.
give scheduler "$PLANE" root-keys /keep/pki/root-keys

secret postgres-password
give postgres "$POSTGRES" postgres-password /keep/postgres-password
give database-roles "$POSTGRES" postgres-password /keep/postgres-password

printf 'authorization { user: plane, password: "%s" }\n' "$(cat /keep/nats-password)" >/keep/nats-authorization.conf
give nats "$NATS" authorization.conf /keep/nats-authorization.conf

secret grafana-admin-password
give grafana "$GRAFANA" admin-password /keep/grafana-admin-password

echo "identities: ready"
