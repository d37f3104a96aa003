/** OpenID Connect providers: whose tokens AssumeRoleWithWebIdentity believes. */
import { ApiError } from '#kit/error'
import { providerArn, providersOf } from '#identity/oidc'
import { GLOBAL, PROVIDER, type ProviderRow, type ProviderSpec } from '#identity/records'
import { uniqueId } from '#identity/session'
import { exceeded, gone, page, QUOTA, readTags, tagsOf, violation, withoutTags, type IamActions } from '#service/iam/common'
import type { Reader, Tx } from '#store/store'

const MOST_CLIENTS = 100
const MOST_THUMBPRINTS = 5

function checkUrl(url: string): string {
  const [, rest] = /^https:\/\/([A-Za-z0-9.-]+(?::\d{1,5})?(?:\/[\w./~-]*)?)$/.exec(url) ?? []
  if (rest === undefined || url.length > 255) throw violation('Url', url, 'Member must be a URL that begins with https:// and has no query')
  return rest.replace(/\/$/, '')
}
function checkThumbprints(list: readonly string[] = []): string[] {
  if (list.length > MOST_THUMBPRINTS) throw exceeded('ThumbprintsPerOpenIdConnectProvider', MOST_THUMBPRINTS)
  for (const one of list) if (!/^[0-9a-fA-F]{40}$/.test(one)) throw violation('ThumbprintList', one, 'Member must have 40 hexadecimal digits')
  return list.map(one => one.toLowerCase())
}
function checkClients(list: readonly string[]): string[] {
  for (const one of list) if (one.length < 1 || one.length > 255) throw violation('ClientIDList', one, 'Member must have length between 1 and 255')
  const unique = [...new Set(list)]
  if (unique.length > MOST_CLIENTS) throw exceeded('ClientIdsPerOpenIdConnectProvider', MOST_CLIENTS)
  return unique
}

async function get(reader: Reader, account: string, arn: string): Promise<ProviderRow> {
  const row = (await providersOf(reader, account)).find(one => providerArn(one) === arn)
  if (!row) throw gone(`OpenIDConnect Provider not found for arn ${arn}`)
  return row
}
const write = (tx: Tx, row: ProviderRow, spec: Partial<ProviderSpec>, tags = row.tags) =>
  tx.put<ProviderRow>({ ...row, spec: { ...row.spec, ...spec }, tags }, 'changed')

export const oidcActions: IamActions = {
  async CreateOpenIDConnectProvider({ tx, input, account, now }) {
    const url = checkUrl(input.Url!)
    const spec = { url, clientIds: checkClients(input.ClientIDList ?? []), thumbprints: checkThumbprints(input.ThumbprintList) }
    const tags = readTags(input.Tags)
    const rows = await providersOf(tx, account)
    if (rows.some(row => row.spec.url === url)) {
      throw new ApiError('EntityAlreadyExistsException', `Provider with url https://${url} already exists.`, 409)
    }
    if (rows.length >= QUOTA.providers) throw exceeded('OpenIdConnectProvidersPerAccount', QUOTA.providers)
    const row = await tx.put<ProviderRow>({
      kind: PROVIDER, id: uniqueId('AOID'), account, region: GLOBAL, generation: 0, created: now.toISOString(), spec, status: {}, tags,
    }, 'created')
    return { OpenIDConnectProviderArn: providerArn(row), Tags: tagsOf(tags) }
  },
  async GetOpenIDConnectProvider({ tx, input, account }) {
    const row = await get(tx, account, input.OpenIDConnectProviderArn!)
    const { url, clientIds, thumbprints } = row.spec
    return { Url: url, ClientIDList: clientIds, ThumbprintList: thumbprints, CreateDate: new Date(row.created), Tags: tagsOf(row.tags) }
  },
  async ListOpenIDConnectProviders({ tx, account }) {
    return { OpenIDConnectProviderList: (await providersOf(tx, account)).map(row => ({ Arn: providerArn(row) })) }
  },
  async DeleteOpenIDConnectProvider({ tx, input, account }) {
    await tx.remove(await get(tx, account, input.OpenIDConnectProviderArn!), 'deleted')
    return {}
  },
  async AddClientIDToOpenIDConnectProvider({ tx, input, account }) {
    const row = await get(tx, account, input.OpenIDConnectProviderArn!)
    await write(tx, row, { clientIds: checkClients([...row.spec.clientIds, input.ClientID!]) })
    return {}
  },
  async RemoveClientIDFromOpenIDConnectProvider({ tx, input, account }) {
    const row = await get(tx, account, input.OpenIDConnectProviderArn!)
    await write(tx, row, { clientIds: row.spec.clientIds.filter(id => id !== input.ClientID) })
    return {}
  },
  async UpdateOpenIDConnectProviderThumbprint({ tx, input, account }) {
    const row = await get(tx, account, input.OpenIDConnectProviderArn!)
    await write(tx, row, { thumbprints: checkThumbprints(input.ThumbprintList) })
    return {}
  },
  async TagOpenIDConnectProvider({ tx, input, account }) {
    const row = await get(tx, account, input.OpenIDConnectProviderArn!)
    await write(tx, row, {}, readTags(input.Tags, row.tags))
    return {}
  },
  async UntagOpenIDConnectProvider({ tx, input, account }) {
    const row = await get(tx, account, input.OpenIDConnectProviderArn!)
    await write(tx, row, {}, withoutTags(row.tags, input.TagKeys!))
    return {}
  },
  async ListOpenIDConnectProviderTags({ tx, input, account }) {
    const row = await get(tx, account, input.OpenIDConnectProviderArn!)
    const { items, ...rest } = page(tagsOf(row.tags) ?? [], input, tag => tag.Key)
    return { Tags: items, ...rest }
  },
}
