/** A simplestreams server on loopback that offers given files, for tests. What it serves and says can be spoilt. */
import { createHash } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Offer = {
  /** 'debian:bookworm:amd64:cloud' and the product's aliases. */
  id: string
  aliases: string
  version?: string
  root: Buffer
  kind?: 'squashfs' | 'root.tar.xz'
  /** Called in place of sending the root file. */
  send?: (response: ServerResponse, offset: number) => void
  /** Fields of the items as the server gives them, in place of the true ones. */
  say?: { root?: object; meta?: object }
}

const sha256 = (...parts: Buffer[]): string => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex')
const VERSION = '20260101_00:00'
const KIND = { datatype: 'image-downloads', format: 'products:1.0' }
const META = Buffer.from('any bytes: the metadata is checked and not read')

type Product = Record<string, unknown> & { versions: Record<string, unknown> }

/** The list of images that a server with these offers has. */
export function listOf(offers: Offer[]): { products: Record<string, Product> } {
  const products: Record<string, Product> = {}
  for (const { id, aliases, version = VERSION, root, kind = 'squashfs', say } of offers) {
    const [os, release, arch, variant] = id.split(':')
    const path = `images/${os}/${release}/${arch}/${variant}/${version}`
    const combined = kind === 'squashfs' ? 'combined_squashfs_sha256' : 'combined_rootxz_sha256'
    const title = `${os![0]!.toUpperCase()}${os!.slice(1)}`
    const product: Product = products[id] ??= { aliases, arch, os: title, release, release_title: release, variant, versions: {} }
    const meta = { ftype: 'incus.tar.xz', path: `${path}/incus.tar.xz`, sha256: sha256(META), size: META.length, [combined]: sha256(META, root) }
    const rootfs = { ftype: kind, path: `${path}/rootfs.${kind}`, sha256: sha256(root), size: root.length }
    product.versions[version] = { items: { 'incus.tar.xz': { ...meta, ...say?.meta }, [`rootfs.${kind}`]: { ...rootfs, ...say?.root } } }
  }
  return { products }
}

/** Serves until closed. `requests` has what was asked for, with the offset where not the whole was. */
export async function serve(offers: Offer[]): Promise<{ url: string; requests: string[]; close(): Promise<void> }> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url!)
    const offset = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    requests.push(offset > 0 ? `${path} from ${offset}` : path)
    if (path === '/streams/v1/index.json') {
      return response.end(JSON.stringify({ format: 'index:1.0', index: { images: { ...KIND, path: 'streams/v1/images.json' } } }))
    }
    if (path === '/streams/v1/images.json') return response.end(JSON.stringify({ ...KIND, ...listOf(offers) }))
    if (path.endsWith('/incus.tar.xz')) return response.end(META)
    const folder = ({ id, version = VERSION }: Offer) => `/images/${id.replaceAll(':', '/')}/${version}`
    const offer = offers.find(each => path.startsWith(`${folder(each)}/rootfs.`))
    if (!offer) return response.writeHead(404).end()
    if (offset > 0) response.writeHead(206, { 'content-range': `bytes ${offset}-${offer.root.length - 1}/${offer.root.length}` })
    return offer.send ? offer.send(response, offset) : response.end(offer.root.subarray(offset))
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests,
    close: () => new Promise(resolve => { server.close(() => resolve()); server.closeAllConnections() }),
  }
}
