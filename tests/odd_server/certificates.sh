#!/bin/sh
# Makes the certificates of the odd server. They and their key are public: they protect nothing.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
openssl ecparam -name prime256v1 -genkey -noout -out "$work/key.pem"
openssl pkcs8 -topk8 -nocrypt -in "$work/key.pem" -outform DER -out key.der
make() { # NAME SUBJECT-ALT-NAMES START END
    rm -f "$work/index" "$work/index.attr"; : > "$work/index"; echo 01 > "$work/serial"
    cat > "$work/ca.cnf" <<END
[ca]
default_ca = odd
[odd]
database = $work/index
serial = $work/serial
new_certs_dir = $work
default_md = sha256
policy = any
x509_extensions = leaf
[any]
commonName = supplied
[leaf]
subjectAltName = $2
basicConstraints = critical, CA:FALSE
END
    openssl req -new -key "$work/key.pem" -subj "/CN=odd server" -out "$work/request.pem"
    openssl ca -batch -config "$work/ca.cnf" -selfsign -keyfile "$work/key.pem" -in "$work/request.pem" \
        -startdate "$3" -enddate "$4" -out "$work/certificate.pem" -notext
    openssl x509 -in "$work/certificate.pem" -outform DER -out "$1.der"
}
make expired "DNS:localhost,DNS:*.svc" 20200101000000Z 20210101000000Z
make other-name "DNS:other.example" 20200101000000Z 20991231000000Z
