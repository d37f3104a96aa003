import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseForm, readCall, type Field } from '#wire/form'

const tree = (field: Field): unknown =>
  (field.children ? Object.fromEntries([...field.children].map(([name, child]) => [name, tree(child)])) : field.value)
const refused = (run: () => unknown) => assert.throws(run, { code: 'MalformedQueryString', status: 400 })

test('dotted names become a tree', () => {
  const text = '&&Filter.1.Name=a+b&Filter.1.Value.1=%C3%A9%26&Filter.1.Value.2=&Flag&Last=1&Last=2&'
  assert.deepEqual(tree(parseForm([text])), { Filter: { 1: { Name: 'a b', Value: { 1: 'é&', 2: '' } } }, Flag: '', Last: '2' })
})

test('fields know the whole name they were sent under', () => {
  assert.equal(parseForm(['A.1.B=x']).children!.get('A')!.children!.get('1')!.children!.get('B')!.key, 'A.1.B')
})

test('depth, number of keys and percent encodings are bounded', () => {
  refused(() => parseForm([`${'a.'.repeat(100_000)}=1`]))
  refused(() => parseForm(['a=1&'.repeat(101)], { depth: 4, keys: 100 }))
  refused(() => parseForm(['a=%zz']))
  refused(() => parseForm(['%ff=1']))
})

test('a call is read from query and body, without what the signature needs', () => {
  const query = 'X-Amz-Date=20260930T120000Z&X-Amz-Signature=00&Action=DescribeVpcs'
  const { action, version, root } = readCall({ method: 'POST', query, body: Buffer.from('Version=2016-11-15&VpcId.1=vpc-é') })
  assert.deepEqual([action, version, tree(root)], ['DescribeVpcs', '2016-11-15', { VpcId: { 1: 'vpc-é' } }])
})

test('the body of a GET is no input, and other methods are refused', () => {
  assert.equal(readCall({ method: 'GET', query: '', body: Buffer.from('Action=DescribeVpcs') }).action, undefined)
  assert.throws(() => readCall({ method: 'PUT', query: '', body: Buffer.alloc(0) }), { code: 'MethodNotAllowed', status: 405 })
})
