/**
 * The host's and the core's side of all networks: one link from the host to the core namespace, which joins the routers.
 *
 * Invariant: guests reach of the host only the metadata service, the resolver and the API; nobody outside reaches a guest through the host
 * unless the guest began. Traffic between networks passes the core alone, and only by public addresses. `takeDown` leaves nothing.
 */
import { mkdir, readFile, rename, rm, stat, chmod, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Home } from '#base/home'
import {
  API_PORT, coreAddress6, hostAddress, hostAddress6, ipv6Range, METADATA_PORT, serviceAddress, SLOTS, STORE_PORT, storeAddress,
} from '#base/home'
import { formatCidr } from '#base/cidr'
import { formatCidr6 } from '#base/cidr6'
import {
  CORE_HOST_ADDRESS, CORE_LINK_ADDRESS6, coreSpace, DNS_PORT, HOST_LINK_ADDRESS6, hostDevice, hostTable, MTU, portDevice, publicNamesDir, resolverDir,
  ROUTERS_GROUP,
} from '#engine/net/names'
import { removeLinks } from '#engine/net/kernel'
import { forgetManager, keepFromManager } from '#engine/net/manager'
import { attempt, canRun, inside, ipBatch, run } from '#engine/net/run'
import { text, type Table } from '#engine/net/ruleset'
import { deviceNames, hasIpv6, makeSpace, spaceExists } from '#engine/net/space'
import type { Served } from '#engine/port'
import { keepDaemon, stopDaemon } from '#engine/dns/daemon'
import { hostConfiguration } from '#engine/dns/dnsmasq'

/** Idempotent. */
export async function bringUp(home: Home): Promise<void> {
  const [host, core] = [hostDevice(home), coreSpace(home)]
  const [publics, fabric] = [formatCidr(home.publicRange), formatCidr(home.fabricRange)]
  await mkdir(publicNamesDir(home), { recursive: true, mode: 0o755 })
  // dnsmasq gives up root and must still reach its files here: others may pass through, not look.
  await chmod(home.run, (await stat(home.run)).mode & 0o777 | 0o011)
  await forwardPackets(home)
  await keepFromManager(home)
  // Strict on the routers' links: a router speaks only for addresses that lead back to it.
  await makeSpace(core, { speaks6: true, more: { 'net.ipv4.conf.default.rp_filter': 1 } })
  await run(['nft', '-f', '-'], text(hostRules(home)))
  await run(inside(core, 'nft', '-f', '-'), text(coreRules(home)))
  const there = (await deviceNames()).has(host)
  await ipBatch([
    ...(there ? [] : [`link add ${host} mtu ${MTU} type veth peer name host mtu ${MTU} netns ${core}`]),
    `link set dev ${host} up`,
    ...[hostAddress(home), storeAddress(home)].map(address => `address replace ${address}/32 dev ${host}`),
    `address replace ${serviceAddress(home)}/32 dev ${host}`,
  ])
  await setHost(`net/ipv4/conf/${host}/send_redirects`, '0')
  await setHost(`net/ipv6/conf/${host}/addr_gen_mode`, '1')
  await setHost(`net/ipv6/conf/${host}/accept_ra`, '0')
  await setHost(`net/ipv6/conf/${host}/disable_ipv6`, '0')
  await ipBatch([
    'link set dev lo up', 'link set dev host up',
    `address replace ${CORE_HOST_ADDRESS}/32 dev host`,
    ...[publics, fabric].map(block => `route replace blackhole ${block}`),
    ...[hostAddress(home), storeAddress(home), serviceAddress(home)].map(address => `route replace ${address} dev host`),
    `route replace default via ${hostAddress(home)} dev host onlink`,
  ], core)
  await ipBatch([
    `route replace ${publics} via ${CORE_HOST_ADDRESS} dev ${host} onlink src ${hostAddress(home)}`,
    `route replace ${fabric} via ${CORE_HOST_ADDRESS} dev ${host} onlink src ${serviceAddress(home)}`,
  ])
  if (hasIpv6()) await bringUp6(home)
  await passDocker(home, true)
}

/** The host's and the core's IPv6: routed, and beyond this machine there is nothing. */
async function bringUp6(home: Home): Promise<void> {
  const [host, range] = [hostDevice(home), formatCidr6(ipv6Range(home))]
  await ipBatch([
    `address replace ${CORE_LINK_ADDRESS6}/64 dev host nodad`, `address replace ${coreAddress6(home)}/128 dev host nodad`,
    `route replace blackhole ${range}`, `route replace ${hostAddress6(home)} via ${HOST_LINK_ADDRESS6} dev host`,
    'route replace unreachable ::/0 metric 4294967295',
  ], coreSpace(home))
  await ipBatch([
    `address replace ${HOST_LINK_ADDRESS6}/64 dev ${host} nodad`, `address replace ${hostAddress6(home)}/128 dev ${host} nodad`,
    `route replace ${range} via ${CORE_LINK_ADDRESS6} dev ${host} src ${hostAddress6(home)}`,
  ])
}

/** The host's resolver, which the routers' resolvers ask. Who does not say which domains are served here leaves them as they are. */
export async function keepResolver(home: Home, served?: Served): Promise<void> {
  const file = join(resolverDir(home), 'served.json')
  if (served) {
    await mkdir(resolverDir(home), { recursive: true, mode: 0o755 })
    await writeFile(`${file}.new`, JSON.stringify(served))
    await rename(`${file}.new`, file)
  }
  const domains: Served = existsSync(file) ? JSON.parse(await readFile(file, 'utf8')) as Served : { host: [], store: [], addresses: [] }
  await keepDaemon({ dir: resolverDir(home) }, hostConfiguration(home, domains))
}

/** Undoes bringUp. The routers are gone already. */
export async function takeDown(home: Home): Promise<void> {
  await stopDaemon(resolverDir(home))
  await passDocker(home, false)
  const port = new RegExp(`^${portDevice(home, 0).slice(0, -1)}\\d+$`)
  await removeLinks([...await deviceNames()].filter(name => name === hostDevice(home) || port.test(name)))
  if (spaceExists(coreSpace(home))) await run(['ip', 'netns', 'del', coreSpace(home)])
  // Made first, so that deleting it succeeds whether it was there or not.
  await run(['nft', '-f', '-'], `table inet ${hostTable(home)}\ndelete table inet ${hostTable(home)}\n`)
  await restoreForwarding(home)
  await forgetManager(home)
  await rm(join(home.run, 'net'), { recursive: true, force: true })
}

const setHost = async (path: string, value: string): Promise<void> => {
  if (existsSync(`/proc/sys/${path}`)) await writeFile(`/proc/sys/${path}`, value)
}

// Forwarding is the host's, shared by all Enclumes on it: the first notes how it was, the last puts it back.

const FORWARD = '/proc/sys/net/ipv4/ip_forward'
const noteOf = (home: Home) => join(dirname(home.run), 'enclume-ip_forward')

async function forwardPackets(home: Home): Promise<void> {
  const was = (await readFile(FORWARD, 'utf8')).trim()
  try {
    await writeFile(noteOf(home), was, { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  if (was !== '1') await writeFile(FORWARD, '1')
}

async function restoreForwarding(home: Home): Promise<void> {
  const devices = await deviceNames()
  const others = Array.from({ length: SLOTS }, (_, slot) => hostDevice({ ...home, prefix: `${home.prefix.slice(0, -1)}${slot}` }))
  if (!existsSync(noteOf(home)) || others.some(name => devices.has(name))) return
  await writeFile(FORWARD, await readFile(noteOf(home), 'utf8'))
  await rm(noteOf(home))
}

// Docker drops what it does not know, but asks this chain first.

async function passDocker(home: Home, pass: boolean): Promise<void> {
  if (!await canRun('iptables')) return
  const iptables = (...words: string[]) => attempt(['iptables', '-w', ...words])
  if ((await iptables('-n', '-L', 'DOCKER-USER')).code !== 0) return
  for (const way of ['-i', '-o']) {
    const rule = ['DOCKER-USER', way, hostDevice(home), '-j', 'ACCEPT']
    const there = (await iptables('-C', ...rule)).code === 0
    if (there !== pass) await run(['iptables', '-w', pass ? '-I' : '-D', ...rule])
  }
}

/** The two ends of a link ask each other for theirs. */
const NEIGHBOURS = 'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 accept'

/** What passes between the host, other machines and the core. */
export function hostRules(home: Home): Table {
  const host = `"${hostDevice(home)}"`
  const pools = `{ ${formatCidr(home.publicRange)}, ${formatCidr(home.fabricRange)} }`
  const service = serviceAddress(home)
  return {
    family: 'inet', name: hostTable(home), sets: {},
    chains: {
      // Like any server on the internet: who has no way there does not reach it.
      translating_in: {
        hook: 'type nat hook prerouting priority dstnat; policy accept;',
        rules: [
          `iifname ${host} ip daddr ${hostAddress(home)} tcp dport 443 dnat ip to ${service}:${API_PORT}`,
          `iifname ${host} ip daddr ${storeAddress(home)} tcp dport 443 dnat ip to ${service}:${STORE_PORT}`,
        ],
      },
      translating: {
        hook: 'type nat hook postrouting priority srcnat; policy accept;',
        rules: [`ip saddr ${pools} oifname != { ${host}, "lo" } masquerade`],
      },
      forwarding: {
        hook: 'type filter hook forward priority filter; policy accept;',
        rules: [
          `iifname ${host} tcp flags syn / syn,rst tcp option maxseg size set rt mtu`,
          `oifname ${host} ct state established,related accept`,
          `oifname ${host} drop`,
        ],
      },
      to_host: {
        hook: 'type filter hook input priority filter; policy accept;',
        rules: [
          `iifname != { ${host}, "lo" } ip daddr ${service} drop`,
          `iifname != ${host} return`,
          'ct state established,related accept',
          NEIGHBOURS,
          `ip daddr ${service} tcp dport { ${METADATA_PORT}, ${DNS_PORT} } accept`,
          `ip daddr ${service} udp dport ${DNS_PORT} accept`,
          `ip daddr ${service} tcp dport { ${API_PORT}, ${STORE_PORT} } ct original proto-dst 443 accept`,
          'drop',
        ],
      },
    },
  }
}

function coreRules(home: Home): Table {
  const [publics, fabric, six] = [formatCidr(home.publicRange), formatCidr(home.fabricRange), formatCidr6(ipv6Range(home))]
  return {
    family: 'inet', name: 'core', sets: {},
    chains: {
      forwarding: {
        hook: 'type filter hook forward priority filter; policy drop;',
        rules: [
          'iifname "host" accept',
          `iifgroup != ${ROUTERS_GROUP} drop`,
          // A router speaks only for blocks that lead back to it, as IPv4's reverse path filter has it.
          `ip6 saddr ${six} fib saddr . iif oif exists accept`,
          `ip saddr ${fabric} ip daddr { ${serviceAddress(home)}, ${storeAddress(home)} } accept`,
          `ip saddr ${publics} ip daddr != ${fabric} accept`,
          'counter drop',
        ],
      },
      to_core: { hook: 'type filter hook input priority filter; policy drop;', rules: ['ip protocol icmp accept', NEIGHBOURS] },
    },
  }
}
