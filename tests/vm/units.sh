# What systemd runs in the guest of units.py; prints TAP.
export PATH=/usr/local/bin:/usr/bin:/bin SYSTEMD_COLORS=0 SYSTEMD_URLIFY=0
failed=0

check() { # WHAT COMMAND
	if eval "$2"; then
		echo "ok - units: $1"
	else
		echo "not ok - units: $1"
		failed=$((failed + 1))
	fi
}
soon() { # COMMAND: within a minute
	for _ in {1..120}; do
		eval "$1" && return 0
		sleep 0.5
	done
	return 1
}
active() { systemctl -q is-active "$1"; }
bridge_says() { curl -s -m 5 http://127.0.0.1:9102/metrics | grep -q "$1"; }
main_of() { systemctl show -P MainPID "$1"; }
user_of() { stat -c %u "/proc/$(main_of "$1")"; }

systemctl start --no-block vsock-bridge hallmark-verifierd hallmark-enclave
check "the bridge listens" 'soon "active vsock-bridge"'
check "on vsock, for enclaves" \
    'bridge_says "outbound.*vsock://any:8443" && bridge_says "logs.*:9002"'
check "it reads its files again" 'systemctl reload vsock-bridge &&
    soon "bridge_says configuration_reloads_total.*taken.*1"'
check "it is nobody" '[ "$(user_of vsock-bridge)" -gt 60000 ]'
check "verifierd answers" 'soon "active hallmark-verifierd" &&
    soon "curl -s -m 5 http://127.0.0.1:8090/livez | grep -q true"'
check "it has its archive" '[ -s /var/lib/hallmark-verifierd/archive.db ]'
check "it is nobody either" '[ "$(user_of hallmark-verifierd)" -gt 60000 ]'

check "the enclave runs" 'soon "active hallmark-enclave"'
pid=$(main_of hallmark-enclave)
check "what nitro-cli left behind is its main process" \
    '[ "$pid" = "$(cat /run/nitro_enclaves/pid)" ]'
kill -9 "$pid"
check "when that ends another is started" 'soon "active hallmark-enclave &&
    [ \$(main_of hallmark-enclave) != $pid ]"'
systemctl kill -s KILL vsock-bridge
check "a bridge that is killed comes back, and the enclave stays" \
    'soon "active vsock-bridge && bridge_says build_info" &&
    active hallmark-enclave'

check "processors and memory are set aside" \
    'systemctl start hallmark-enclave-resources &&
    [ "$(cat /sys/module/nitro_enclaves/parameters/ne_cpus)" = 1 ] &&
    [ "$(cat /proc/sys/vm/nr_hugepages)" = 4 ]'
systemctl start hallmark-enclave-qemu
check "by QEMU or by nitro-cli, not both" \
    'active hallmark-enclave-qemu && ! active hallmark-enclave'
check "stopping terminates the enclave by its name" \
    'grep -q -- "--enclave-name hallmark" /run/nitro_enclaves/terminated'

systemctl stop hallmark-verifierd vsock-bridge hallmark-enclave-qemu
check "all stop in good order" \
    '[ "$(systemctl show -P Result hallmark-verifierd)" = success ] &&
    [ "$(systemctl show -P Result vsock-bridge)" = success ]'
systemctl start vsock-bridge.socket
check "with the socket unit the first client starts the bridge" \
    '! active vsock-bridge && ! curl -s -m 20 http://127.0.0.1:8080/livez &&
    active vsock-bridge'

[ $failed = 0 ] || systemctl --no-pager -n 0 status \
    'vsock-bridge*' 'hallmark-*'
echo "# units: $failed failed"
