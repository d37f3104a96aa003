/** S3 by the clients that people have: AWS CLI, boto3, rclone, restic, curl with a link. Each carries files there and back. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { keys, openServer, type TestServer } from './server.ts'

const CLI = process.env.ENCLUME_TEST_AWS ?? 'aws'
let server: TestServer
let dir: string

before(async () => {
  server = await openServer()
  dir = mkdtempSync(join(tmpdir(), 'enclume-s3-clients-'))
  mkdirSync(join(dir, 'tree/a folder/deep'), { recursive: true })
  writeFileSync(join(dir, 'tree/one'), 'one')
  writeFileSync(join(dir, 'tree/a folder/é+&.txt'), 'two')
  writeFileSync(join(dir, 'tree/a folder/deep/empty'), '')
  writeFileSync(join(dir, 'tree/big'), randomBytes(12_000_000))
  writeFileSync(join(dir, 'fifty'), randomBytes(50_000_000))
})
after(async () => {
  await server.close()
  rmSync(dir, { recursive: true })
})

/** A command that must succeed, in the folder with the files; what it prints. */
const run = (command: string, args: string[], env: Record<string, string> = {}): Promise<string> => new Promise((resolve, reject) => {
  const own = {
    PATH: process.env.PATH, HOME: dir, AWS_ENDPOINT_URL: server.url, AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_DEFAULT_REGION: 'us-east-1', AWS_PAGER: '', AWS_EC2_METADATA_DISABLED: 'true', ...env,
  }
  execFile(command, args, { cwd: dir, env: own, timeout: 90_000, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
    if (error) reject(new Error(`${command} ${args.join(' ')}\n${stderr}`, { cause: error }))
    else resolve(stdout.trim())
  })
})
const same = (a: string, b: string) => run('diff', ['-r', a, b])

test('AWS CLI: 50 MB up and down, sync both ways, links that work until they are changed, removal', async () => {
  const aws = (...args: string[]) => run(CLI, args)
  await aws('s3', 'mb', 's3://cli-bucket')
  await aws('s3', 'cp', 'fifty', 's3://cli-bucket/fifty', '--no-progress')
  await aws('s3', 'cp', 's3://cli-bucket/fifty', 'fifty.back', '--no-progress')
  await run('cmp', ['fifty', 'fifty.back'])
  await aws('s3', 'sync', 'tree', 's3://cli-bucket/tree', '--no-progress')
  assert.equal(await aws('s3', 'sync', 'tree', 's3://cli-bucket/tree', '--no-progress'), '')
  await aws('s3', 'sync', 's3://cli-bucket/tree', 'tree.cli', '--no-progress')
  await same('tree', 'tree.cli')
  const link = await aws('s3', 'presign', 's3://cli-bucket/tree/one', '--expires-in', '60')
  assert.equal(await run('curl', ['-fsS', link]), 'one')
  assert.equal(await run('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', link.replace('/one?', '/big?')]), '403')
  await aws('s3', 'mv', 's3://cli-bucket/fifty', 's3://cli-bucket/moved')
  assert.match(await aws('s3', 'ls', 's3://cli-bucket/'), /PRE tree\/\n.* 50000000 moved$/)
  await aws('s3', 'rb', '--force', 's3://cli-bucket')
})

const SUITE = `
import boto3, io, os
s3 = boto3.client('s3')
s3.create_bucket(Bucket='boto-bucket')
s3.upload_file('tree/big', 'boto-bucket', 'big', ExtraArgs={'Metadata': {'k': 'v'}})
s3.download_file('boto-bucket', 'big', 'big.boto')
assert open('big.boto', 'rb').read() == open('tree/big', 'rb').read()
assert s3.head_object(Bucket='boto-bucket', Key='big')['Metadata'] == {'k': 'v'}
for i in range(25): s3.put_object(Bucket='boto-bucket', Key='many/%02d é' % i, Body=b'x' * i)
pages = s3.get_paginator('list_objects_v2').paginate(Bucket='boto-bucket', Prefix='many/', PaginationConfig={'PageSize': 10})
assert [o['Size'] for p in pages for o in p['Contents']] == list(range(25))
for algorithm in ['CRC32', 'SHA1', 'SHA256']:
    s3.put_object(Bucket='boto-bucket', Key=algorithm, Body=b'123', ChecksumAlgorithm=algorithm)
    assert s3.get_object(Bucket='boto-bucket', Key=algorithm, ChecksumMode='ENABLED')['Body'].read() == b'123'
bucket = boto3.resource('s3').Bucket('boto-bucket')
post = [s3.generate_presigned_url('get_object', {'Bucket': 'boto-bucket', 'Key': 'CRC32'}, 60)]
from botocore.client import Config
post.append(boto3.client('s3', config=Config(signature_version='s3')).generate_presigned_url('get_object', {'Bucket': 'boto-bucket', 'Key': 'CRC32'},
  60))
import urllib.request
for url in post: assert urllib.request.urlopen(url).read() == b'123', url
try:
    s3.get_object(Bucket='boto-bucket', Key='none')
    raise SystemExit('no error')
except s3.exceptions.NoSuchKey: pass
bucket.objects.all().delete()
bucket.delete()
print('done')
`

test('boto3: transfers, pages, checksums, links of both signatures, deletion', async () => {
  const python = process.env.ENCLUME_TEST_PYTHON ?? 'python3'
  assert.equal(await run(python, ['-c', SUITE], { NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' }), 'done')
})

test('rclone: copies in parts and checks what it copied', async () => {
  const env = {
    RCLONE_CONFIG_E_TYPE: 's3', RCLONE_CONFIG_E_PROVIDER: 'Other', RCLONE_CONFIG_E_ACCESS_KEY_ID: keys.accessKeyId,
    RCLONE_CONFIG_E_SECRET_ACCESS_KEY: keys.secretAccessKey, RCLONE_CONFIG_E_ENDPOINT: server.url, RCLONE_CONFIG_E_REGION: 'us-east-1',
  }
  const rclone = (...args: string[]) => run('rclone', ['--config', '/dev/null', ...args], env)
  await rclone('copy', 'tree', 'e:rclone-bucket/t', '--s3-upload-cutoff', '6M', '--s3-chunk-size', '5M')
  await rclone('check', 'tree', 'e:rclone-bucket/t', '--download')
  await rclone('copy', 'e:rclone-bucket/t', 'tree.rclone')
  await same('tree', 'tree.rclone')
  await rclone('purge', 'e:rclone-bucket')
})

test('restic: a backup is kept, verified to the last byte and restored', async () => {
  const env = { RESTIC_PASSWORD: 'x', RESTIC_REPOSITORY: `s3:${server.url}/restic-bucket/repository` }
  const restic = (...args: string[]) => run('restic', ['-q', '--no-cache', ...args], env)
  await restic('init')
  await restic('backup', 'tree')
  await restic('check', '--read-data')
  await restic('restore', 'latest', '--target', 'restored')
  await same('tree', 'restored/tree')
  await restic('forget', '--keep-last', '1', '--prune')
  assert.equal(readFileSync(join(dir, 'restored/tree/one'), 'utf8'), 'one')
})
