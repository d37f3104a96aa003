import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dispatcher } from '#kit/action'
import { sts } from '#service/sts/sts'
import { openSqlite } from '#store/sqlite'

const principal = { account: '111122223333', arn: 'arn:aws:iam::111122223333:root', userId: '111122223333', root: true }
const caller = { principal, region: 'us-east-1', requestId: 'r', sourceIp: '127.0.0.1', userAgent: 'test' }
const dispatch = dispatcher({ services: [sts()], store: openSqlite(':memory:'), clock: () => new Date(0), authorise: async () => {} })
const call = (operation: string, input: object) => dispatch({ service: 'sts', operation, input, caller })

test('the caller is told who it is', async () => {
  assert.deepEqual(await call('GetCallerIdentity', {}),
    { UserId: '111122223333', Account: '111122223333', Arn: 'arn:aws:iam::111122223333:root' })
})

test('temporary credentials are not pretended', async () => {
  await assert.rejects(call('GetSessionToken', {}), { code: 'UnsupportedOperation' })
})

test('a missing member is named as STS names it', () => {
  const { code, message } = sts().missing('RoleArn')
  assert.deepEqual({ code, message }, {
    code: 'ValidationError',
    message: "1 validation error detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null",
  })
})
