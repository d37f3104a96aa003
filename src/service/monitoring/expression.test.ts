import assert from 'node:assert/strict'
import { test } from 'node:test'
import { calculate, idsIn, parse } from '#service/monitoring/expression'

const constant = (text: string) => calculate(parse(`${text}+0*m`), new Map([['m', { times: [1], values: [0] }]])).values[0]

test('arithmetic is done in its order', () => {
  assert.deepEqual(['1+2*3', '(1+2)*3', '8/2/2', '2^3^2', '-2*3', '10-2-3', '-(1+1)', '1.5e2', '2*-3'].map(constant), [7, 9, 2, 512, -6, 5, -2, 150,
    -6])
})

test('there is a value where all series have one, and none where it is no number', () => {
  const series = new Map([['a', { times: [1, 2, 3], values: [1, 2, 3] }], ['b', { times: [2, 3, 4], values: [0, 2, 2] }]])
  assert.deepEqual(idsIn(parse('a/b + a')), ['a', 'b'])
  assert.deepEqual(calculate(parse('a/b'), series), { times: [3], values: [1.5] })
})

test('what is no arithmetic is refused by name, and what is none at all as AWS does', () => {
  const codeOf = (text: string) => { try { parse(text); return 'read' } catch (error) { return (error as { code: string }).code } }
  assert.deepEqual(['SUM(METRICS())', 'IF(a>1,a)', 'SELECT AVG(x) FROM y', '[a,b]', 'a > 1', 'a +', '(a', 'a b', '', '('.repeat(200)].map(codeOf), [
    'UnsupportedOperation', 'UnsupportedOperation', 'UnsupportedOperation', 'UnsupportedOperation', 'UnsupportedOperation',
    'ValidationException', 'ValidationException', 'ValidationException', 'ValidationException', 'ValidationException',
  ])
})
