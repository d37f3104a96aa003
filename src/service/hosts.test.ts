import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostsOf } from '#service/hosts'

test('a service has its names of each Region, and those without a Region that AWS gives it', () => {
  assert.deepEqual(hostsOf(['ec2', 'iam', 'ssm'], ['us-east-1', 'eu-west-3']), [
    'ec2.amazonaws.com', 'ec2.us-east-1.amazonaws.com', 'ec2.eu-west-3.amazonaws.com', 'iam.amazonaws.com',
    'ssm.us-east-1.amazonaws.com', 'ssmmessages.us-east-1.amazonaws.com', 'ec2messages.us-east-1.amazonaws.com',
    'ssm.eu-west-3.amazonaws.com', 'ssmmessages.eu-west-3.amazonaws.com', 'ec2messages.eu-west-3.amazonaws.com',
  ])
})
