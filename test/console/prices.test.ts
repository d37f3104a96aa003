/** The prices that the console shows: each of a type that is there, and none invented. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { all } from '#service/ec2/instance-type/instance-type'
import { PRICES } from '../../console/src/data/prices.ts'
import { priceOf, sumOf } from '../../console/src/prices.ts'

test('every price is of a type that is there, and every type has one', () => {
  const priced = Object.entries(PRICES).flatMap(([family, words]) => words.split(' ').filter((_, i) => i % 2 === 0).map(size => `${family}.${size}`))
  assert.deepEqual(priced.sort(), all().map(({ name }) => name).sort())
  assert.deepEqual(priced.filter(name => !(priceOf(name)! > 0)), [])
})

test('sums say how many have no price', () => {
  assert.deepEqual(sumOf(['t3.micro', 'm5.large', 'x99.huge']), { price: 0.1064, unknown: 1 })
  assert.deepEqual([priceOf('t3.micro'), priceOf('x99.huge')], [0.0104, undefined])
})
