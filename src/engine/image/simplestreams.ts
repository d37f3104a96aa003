/**
 * Image servers that speak simplestreams, as images.linuxcontainers.org does: which image is meant by a name. Pure.
 *
 * Invariant: what a server says is not believed before it is checked: paths stay below the server's address, sizes are bounded,
 * every file has a SHA-256 and so have both together (what Incus calls the fingerprint). Entries that lack any of it don't exist.
 * Source of the format: Incus, shared/simplestreams/products.go.
 */
export const DEFAULT_SERVER = 'https://images.linuxcontainers.org'
export const INDEX_PATH = 'streams/v1/index.json'

/** What the user can do something about: a wrong name, a server that can't be reached, a broken download. */
export class ImportError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ImportError'
  }
}

/** One file of an image. `size` is in bytes. */
export type Item = { path: string; size: number; sha256: string }
export type Found = {
  /** As it is called here: 'ubuntu/24.04', whichever of its names was asked for. */
  name: string
  /** The name's first word: 'ubuntu'. */
  os: string
  variant: string
  /** The server's own, which sorts by time: '20250810_07:42'. */
  version: string
  meta: Item
  root: Item & { kind: 'squashfs' | 'root.tar.xz' }
  /** SHA-256 of both files, one after the other. */
  fingerprint: string
}

/** Whom ssh lets in, as on that system's own AMIs. These systems have systemd, and apt or dnf. */
const USERS: Record<string, string> = {
  almalinux: 'ec2-user', amazonlinux: 'ec2-user', centos: 'ec2-user', debian: 'admin', fedora: 'fedora', oracle: 'ec2-user',
  rockylinux: 'rocky', ubuntu: 'ubuntu',
}
export const userOf = (os: string): string => USERS[os]!

const META_BYTES = 16 * 2 ** 20
const ROOT_BYTES = 4 * 2 ** 30
/** The best first; others (desktops, say) are never meant. */
const VARIANTS = ['cloud', 'default']
const ROOTS = [
  { kind: 'squashfs', combined: ['combined_squashfs_sha256'] },
  { kind: 'root.tar.xz', combined: ['combined_rootxz_sha256', 'combined_sha256'] },
] as const

type Fields = Record<string, unknown>
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Fields : {})
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The address of a server, without a slash at its end. Plain HTTP only on this host. */
export function serverUrl(given: string): URL {
  const url = URL.canParse(given) ? new URL(given) : undefined
  const local = url?.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)
  if (!url || !(url.protocol === 'https:' || local)) throw new ImportError(`an image server's address begins with https://; this is '${given}'`)
  if (url.search || url.hash) throw new ImportError(`an image server's address has no query; this is '${given}'`)
  return new URL(url.href.replace(/\/*$/, '/'))
}

/** Where a file of a server is. */
export function fileUrl(server: URL, path: string): URL {
  const parts = path.split('/')
  if (parts.some(part => part === '' || part === '.' || part === '..')) throw new ImportError(`the server names a strange file: '${path}'`)
  return new URL(server.href + parts.map(encodeURIComponent).join('/'))
}

/** Where the server's lists of images are, by its index. */
export function readIndex(json: unknown): string[] {
  const lists = Object.values(fields(fields(json)['index'])).map(fields)
    .filter(entry => entry['datatype'] === 'image-downloads' && entry['format'] === 'products:1.0').map(entry => text(entry['path']))
  if (lists.length === 0) throw new ImportError('the server offers no images')
  return lists
}

/** The newest image of a name for an architecture ('amd64', 'arm64'). A name that there is not is answered with those near it. */
export function findImage(lists: unknown[], { name, arch }: { name: string; arch: string }): Found {
  const products = lists.flatMap(list => Object.entries(fields(fields(list)['products'])))
    .map(([id, product]) => readProduct(id, fields(product)))
    .filter(product => product.arch === arch && VARIANTS.includes(product.variant))
  const named = products.filter(product => product.names.includes(name))
    .sort((a, b) => VARIANTS.indexOf(a.variant) - VARIANTS.indexOf(b.variant))
  const whole = (versions: Fields) => Object.values(versions).some(version => readVersion(version))
  const usable = products.filter(({ os, versions }) => Object.hasOwn(USERS, os) && whole(versions))
  const [product] = named.filter(each => usable.includes(each))
  if (product) {
    const version = Object.keys(product.versions).sort().reverse().find(each => readVersion(product.versions[each]))!
    return { name: product.name, os: product.os, variant: product.variant, version, ...readVersion(product.versions[version])! }
  }
  if (named[0]) throw new ImportError(!Object.hasOwn(USERS, named[0].os)
    ? `${name} can't be used: machines are made from ${Object.keys(USERS).join(', ')}` : `the server has no container image of ${name} now`)
  const near = nearest(name, [...new Set(usable.map(each => each.name))])
  throw new ImportError(`there is no image '${name}' for ${arch}${near.length > 0 ? `; there is ${near.join(', ')}` : ''}`)
}

function readProduct(id: string, product: Fields) {
  const os = text(product['os']).toLowerCase()
  const variant = text(product['variant']) || 'default'
  const short = (alias: string) => (alias.endsWith(`/${variant}`) ? alias.slice(0, -variant.length - 1) : alias)
  const names = text(product['aliases']).split(',').map(alias => short(alias.trim()))
    .filter(alias => /^[\w.-]+(\/[\w.-]+)?$/.test(alias)).map(alias => (alias.includes('/') ? alias : `${os}/${alias}`))
  // The number is what AMIs are named by: ubuntu/24.04 rather than ubuntu/noble.
  const name = names.find(each => /\/\d/.test(each)) ?? names[0] ?? id
  const versions = Object.fromEntries(Object.entries(fields(product['versions'])).filter(([version]) => /^\d{8}[\w:.-]{0,32}$/.test(version)))
  return { name, names, os: name.split('/')[0]!, variant, arch: text(product['arch']), versions }
}

function readVersion(version: unknown): Pick<Found, 'meta' | 'root' | 'fingerprint'> | undefined {
  const items = Object.values(fields(fields(version)['items'])).map(fields)
  const entry = items.find(item => item['ftype'] === 'incus.tar.xz') ?? items.find(item => item['ftype'] === 'lxd.tar.xz')
  const meta = entry && readItem(entry, META_BYTES)
  for (const { kind, combined } of ROOTS) {
    const root = readItem(items.find(item => item['ftype'] === kind), ROOT_BYTES)
    const fingerprint = combined.map(key => text(entry?.[key])).find(isSha256)
    if (meta && root && fingerprint) return { meta, root: { ...root, kind }, fingerprint }
  }
  return undefined
}

const isSha256 = (value: string): boolean => /^[0-9a-f]{64}$/.test(value)

function readItem(item: Fields | undefined, mostBytes: number): Item | undefined {
  const found = { path: text(item?.['path']), size: Number(item?.['size']), sha256: text(item?.['sha256']) }
  const sized = Number.isSafeInteger(found.size) && found.size > 0 && found.size <= mostBytes
  return found.path !== '' && sized && isSha256(found.sha256) ? found : undefined
}

/** At most five names, the likeliest first: what begins alike, then what is typed alike. */
function nearest(name: string, names: string[]): string[] {
  const [os = '', release = ''] = name.split('/')
  const rank = (other: string) => {
    const [otherOs = '', otherRelease = ''] = other.split('/')
    const same = otherOs.startsWith(os) || os.startsWith(otherOs)
    return (same ? 0 : 10 * distance(os, otherOs)) + distance(release, otherRelease)
  }
  return names.toSorted().map(other => ({ other, rank: rank(other) })).sort((a, b) => a.rank - b.rank).slice(0, 5).map(each => each.other)
}

/** How many letters have to be put, taken or changed to make one of the other (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
