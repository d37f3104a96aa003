import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseXml, XmlError } from '#wire/xmlparse'

test('elements, attributes, text, entities, CDATA and comments are read', () => {
  const root = parseXml('\ufeff<?xml version="1.0"?><!-- c --><a:Root xmlns="x" k=\'v &quot;\'>one<b/> &lt;&#65;&#x42;&amp;'
    + '<c><![CDATA[<raw>&]]></c><!-- d -->two</a:Root>\n')
  assert.deepEqual([root.name, root.attributes.get('k'), root.text], ['Root', 'v "', 'one <AB&two'])
  assert.deepEqual(root.children.map(({ name, text }) => [name, text]), [['b', ''], ['c', '<raw>&']])
})

test('what is not well formed, reaches outside or grows is refused', () => {
  const bad = [
    '', 'text', '<a>', '</a>', '<a></b>', '<a><b></a></b>', '<a/><b/>', '<a>&unknown;</a>', '<a>& </a>', '<a b=c/>', '<a b="<"/>', '<a>\u0000</a>',
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', '<a>&#0;</a>', '<a>&#xD800;</a>', '<a><!-- </a>', '<a><![CDATA[</a>', '<',
      '<?xml',
    '<a>'.repeat(100) + '</a>'.repeat(100), `<a>${'<b/>'.repeat(100_001)}</a>`,
  ]
  for (const text of bad) assert.throws(() => parseXml(text), XmlError, text.slice(0, 60))
})
