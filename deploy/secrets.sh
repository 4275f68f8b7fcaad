#!/bin/sh
# Writes the secrets that docker-compose.yml names, each once:
#
#   secrets.sh [DIR]     DIR is deploy/secrets by default
#
# What is there is kept, so it is safe to run again. Beside docker-compose.yml it
# writes .env with the user and group that own the files, as whom Atoll then runs.
set -eu
umask 077

root=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$root/deploy/secrets}
mkdir -p "$folder"

# Random characters that need no quoting in a URL.
password() {
    head -c 24 /dev/urandom | base64 | tr '+/' '-_'
}

write() {
    test -e "$folder/$1" || printf '%s\n' "$2" >"$folder/$1"
}

write admin-password "$(password)"
write postgres-password "$(password)"
write database-url "postgres://atoll:$(cat "$folder/postgres-password")@postgres:5432/atoll"
write key "$(date +%Y%m%d):$(head -c 32 /dev/urandom | base64)"

# PostgreSQL's image reads its password as a user of its own. On this machine the
# folder is closed to everybody else.
chmod 0444 "$folder/postgres-password"

# Atoll does not run as root, whoever runs this.
user=$(id -u)
group=$(id -g)
if [ "$user" = 0 ]; then
    user=65532
    group=65532
    chown "$user:$group" "$folder/admin-password" "$folder/database-url" "$folder/key"
fi
if [ "$#" = 0 ]; then
    printf 'ATOLL_UID=%s\nATOLL_GID=%s\n' "$user" "$group" >"$root/.env"
fi
echo "secrets: $folder"
