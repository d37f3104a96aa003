import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resource } from '#kit/resource'
import type { Tags } from '#kit/tags'
import { ApiError } from '#kit/error'
import { harness, NOW, PLACE } from '#service/ec2/harness.suite'
import { image } from '#service/ec2/image/image'
import { prepareImages } from '#service/ec2/image/prepare'
import { tagActions } from '#service/ec2/tag/actions'
import { removed, taggable, taggableImage, type Taggable } from '#service/ec2/tag/tags'

const vpc = resource<object, object, object>({
  kind: 'vpc', prefix: 'vpc', label: 'vpc ID', missing: 'InvalidVpcID.NotFound', malformed: 'InvalidVpcID.Malformed',
  view: () => ({}), filters: {},
})
const RULE = 'sgr-0123456789abcdef0'

async function tagging() {
  // A rule lives inside its group's record: its tags are kept by other means than a record's.
  const rules = new Map<string, Tags>([[RULE, {}]])
  const rule: Taggable = {
    kind: 'security-group-rule', prefix: 'sgr',
    async read(_, __, id) {
      const tags = rules.get(id)
      if (!tags) throw new ApiError('InvalidSecurityGroupRuleId.NotFound', `The security group rule ID '${id}' does not exist`)
      return tags
    },
    write: async (_, __, id, tags) => rules.set(id, tags),
    list: async () => [...rules].map(([id, tags]) => ({ id, tags })),
  }
  const seen = { name: 'a', description: 'a', architecture: 'x86_64', sizeGiB: 1, created: '2026-01-01T00:00:00.000Z', user: 'u' } as const
  const ec2 = harness(tagActions([taggable(vpc), rule, taggableImage]), (tx, place) => prepareImages(tx, place, [seen]))
  const make = (place = PLACE, tags: Tags = {}) =>
    ec2.store.transact(tx => tx.put(vpc.make({ ...place, now: NOW, spec: {}, status: {}, tags }), 'created'))
  return { ...ec2, make, tagsOf: async (id: string) => (await vpc.find(ec2.store, id))!.tags, rules }
}
const tags = (record: Tags) => Object.entries(record).map(([Key, Value]) => ({ Key, Value }))

test('tags are added to several resources of any kind, and replace those of the same key', async () => {
  const { call, make, tagsOf, rules } = await tagging()
  const [a, b] = [await make(), await make(PLACE, { Name: 'old', keep: '1' })]
  await call('CreateTags', { Resources: [a.id, b.id, RULE, a.id], Tags: tags({ Name: 'new', empty: '' }) })
  assert.deepEqual([await tagsOf(a.id), await tagsOf(b.id), rules.get(RULE)],
    [{ Name: 'new', empty: '' }, { Name: 'new', keep: '1', empty: '' }, { Name: 'new', empty: '' }])
})

test('a request that fails for one resource changes none', async () => {
  const { call, refusal, make, tagsOf } = await tagging()
  const a = await make()
  const many = Object.fromEntries(Array.from({ length: 49 }, (_, i) => [`k${i}`, '']))
  const full = await make(PLACE, many)
  const Tags = tags({ x: '1', y: '2' })
  const other = await make({ account: '444455556666', region: 'us-east-1' })
  assert.equal(await refusal('CreateTags', { Resources: [a.id, 'vpc-00000000'], Tags }),
    "InvalidVpcID.NotFound: The vpc ID 'vpc-00000000' does not exist")
  assert.match(await refusal('CreateTags', { Resources: [a.id, full.id], Tags }), /^TagLimitExceeded/)
  assert.match(await refusal('CreateTags', { Resources: [a.id, other.id], Tags }), /^InvalidVpcID.NotFound/)
  assert.match(await refusal('CreateTags', { Resources: [a.id, 'sgr-00000000'], Tags }), /^InvalidSecurityGroupRuleId.NotFound/)
  assert.match(await refusal('CreateTags', { Resources: [a.id], Tags, DryRun: true }), /^DryRunOperation/)
  assert.deepEqual(await tagsOf(a.id), {})
  await call('CreateTags', { Resources: [full.id], Tags: tags({ x: '1' }) })
  assert.equal(Object.keys(await tagsOf(full.id)).length, 50)
})

test('texts that are no id of a known kind, and requests without resources or tags, are refused', async () => {
  const { refusal, make } = await tagging()
  const { id } = await make()
  for (const bad of ['10.0.0.1', 'vpc-xyz', 'nosuch-0123456789abcdef0', 'vpc', '-00000000', '']) {
    assert.equal(await refusal('CreateTags', { Resources: [id, bad], Tags: tags({ a: 'b' }) }), `InvalidID: The ID '${bad}' is not valid`)
  }
  assert.match(await refusal('CreateTags', { Resources: [], Tags: tags({ a: 'b' }) }), /^MissingParameter/)
  assert.match(await refusal('CreateTags', { Resources: [id], Tags: [] }), /^MissingParameter/)
  assert.match(await refusal('CreateTags', { Resources: [id], Tags: tags({ 'aws:x': '' }) }), /^InvalidParameterValue.*reserved/)
  assert.match(await refusal('DeleteTags', { Resources: [id], Tags: [{ Key: 'aws:x' }] }), /^InvalidParameterValue.*reserved/)
  const tooMany = Array.from({ length: 1001 }, () => id)
  assert.match(await refusal('CreateTags', { Resources: tooMany, Tags: tags({ a: 'b' }) }), /^InvalidParameterValue/)
})

test('images of others are not tagged', async () => {
  const { call, refusal, store } = await tagging()
  await call('DescribeTags', {})
  const [{ id } = { id: '' }] = await image.everywhere(store)
  assert.equal(await refusal('CreateTags', { Resources: [id], Tags: tags({ a: 'b' }) }),
    'UnsupportedOperation: Enclume does not implement tags on an image of another account.')
  assert.match(await refusal('DeleteTags', { Resources: ['ami-00000000'], Tags: tags({ a: 'b' }) }), /^InvalidAMIID.NotFound/)
})

test('tags are deleted by key, by key and value, or all', async () => {
  const { call, make, tagsOf } = await tagging()
  const { id } = await make(PLACE, { a: '1', b: '2', c: '', d: '4', 'aws:cloud': 'x' })
  const some = [{ Key: 'a' }, { Key: 'b', Value: 'other' }, { Key: 'd', Value: '4' }, { Key: 'none' }]
  await call('DeleteTags', { Resources: [id], Tags: some })
  assert.deepEqual(await tagsOf(id), { b: '2', c: '', 'aws:cloud': 'x' })
  await call('DeleteTags', { Resources: [id], Tags: [{ Key: 'b', Value: '' }, { Key: 'c', Value: '' }] })
  assert.deepEqual(await tagsOf(id), { b: '2', 'aws:cloud': 'x' })
  await call('DeleteTags', { Resources: [id] })
  assert.deepEqual(await tagsOf(id), { 'aws:cloud': 'x' })
  assert.deepEqual(removed({ a: '1' }, undefined), {})
})

test('a resource whose tags stay is not written', async () => {
  const { call, make, store } = await tagging()
  const row = await make(PLACE, { a: '1' })
  await call('CreateTags', { Resources: [row.id], Tags: tags({ a: '1' }) })
  await call('DeleteTags', { Resources: [row.id], Tags: tags({ b: '1' }) })
  assert.equal((await vpc.find(store, row.id))!.generation, row.generation)
})

test('tags are listed by filter and page', async () => {
  const { call, make, refusal, rules } = await tagging()
  const a = await make(PLACE, { Name: 'web', team: 'x' })
  const b = await make(PLACE, { Name: 'db' })
  const others = await make({ account: '444455556666', region: 'us-east-1' }, { Name: 'web' })
  rules.set(RULE, { Name: 'rule' })
  const list = async (...filters: [string, ...string[]][]) =>
    (await call('DescribeTags', { Filters: filters.map(([Name, ...Values]) => ({ Name, Values })) })).Tags!
  assert.deepEqual(await list(['key', 'Name'], ['resource-type', 'vpc'], ['value', 'w*']),
    [{ Key: 'Name', Value: 'web', ResourceId: a.id, ResourceType: 'vpc' }])
  assert.deepEqual((await list(['tag:Name', 'db', 'rule'])).map(t => t.ResourceId).sort(), [RULE, b.id].sort())
  assert.deepEqual((await list(['resource-id', a.id])).map(t => t.Key), ['Name', 'team'])
  const chosen = [
    await list(['resource-id', RULE, b.id, b.id, others.id]), await list(['resource-id', 'vpc-*']), await list(['resource-id', 'x', 'vpc-']),
  ]
  assert.deepEqual(chosen.map(found => found.map(t => t.ResourceId).sort()), [[RULE, b.id].sort(), [a.id, a.id, b.id].sort(), []])
  for (let i = 0; i < 3; i++) await make(PLACE, { Name: `more-${i}` })
  const first = await call('DescribeTags', { MaxResults: 5 })
  const second = await call('DescribeTags', { MaxResults: 5, NextToken: first.NextToken })
  assert.deepEqual([first.Tags!.length, second.Tags!.length, second.NextToken], [5, 2, undefined])
  assert.equal(await refusal('DescribeTags', { MaxResults: 5, NextToken: first.NextToken }, { ...PLACE, region: 'eu-west-1' }),
    'InvalidNextToken: The specified NextToken is not valid.')
  assert.match(await refusal('DescribeTags', { Filters: [{ Name: 'nonsense', Values: ['x'] }] }), /^InvalidParameterValue/)
})
