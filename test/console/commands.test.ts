/** "The command and the code for this": what is shown for each form, when it is run, asks exactly what the form asks. */
import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import * as sdk from '@aws-sdk/client-ec2'
import { cliOf, sdkOf } from '../../console/src/api/preview.ts'
import { callsOf, newVolume, runInput, start, type Launch } from '../../console/src/pages/launch-state.ts'
import { callOf, type Template } from '../../console/src/pages/template-state.ts'
import { keys } from '../conformance/server.ts'
import { callsOfForms, type Asked } from './forms.ts'
import { openEar } from './heard.ts'
import { hold, turnOn } from './held.ts'
import { openWorld } from './kit.ts'
import { openSeeded } from './seed.ts'
import { allShown, FILE, fill, type Shown } from './shown.ts'
import { vary } from './vary.ts'

const CLI = process.env.ENCLUME_TEST_AWS ?? '/usr/bin/aws'
/** Beside this file, so that what is shown finds the SDK. */
const dir = mkdtempSync(join(import.meta.dirname, 'shown-'))
const CONSOLE = join(import.meta.dirname, '../../console/src')
const REGION = 'us-east-1'
const settings = {
  PATH: process.env.PATH, HOME: dir, AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
  AWS_DEFAULT_REGION: REGION, AWS_EC2_METADATA_DISABLED: 'true', AWS_MAX_ATTEMPTS: '1', AWS_PAGER: '',
}
let ear: Awaited<ReturnType<typeof openEar>>
let calls: Asked[]
let shown: Shown[]
/** The actions of which there was nothing to make a call of. */
let silent: string[]
/** The API's own address, as programs name it. */
let endpoint: string

before(async () => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey })
  ear = await openEar()
  const { browser, world, page, made } = await openSeeded()
  let release = (): void => {}
  try {
    await fill(world, made)
    await vary(world, made)
    release = await hold(world)
    const forms = await callsOfForms(page, send(world.server.url))
    const turnOff = await turnOn(world)
    const back = (await callsOfForms(page, send(world.server.url))).calls.filter(({ at }) => at.startsWith('/ec2/settings/'))
    await turnOff()
    silent = forms.silent
    calls = [...forms.calls, ...back, ...templateCalls]
    shown = await allShown(page, made)
    endpoint = world.server.url
  } finally {
    release()
    await browser.close()
    await world.close()
  }
})
after(async () => {
  rmSync(dir, { recursive: true })
  await ear.close()
})

/** The page of launch templates, and launches by one, as a reader may leave them. */
const said: Launch = {
  ...start, name: "it's mine", tags: [{ key: 'a', value: '$b' }], rootDevice: '/dev/xvda', key: 'web-key', group: 'existing', groups: ['sg-1'],
  image: 'ami-1', volumes: [newVolume], shutdown: 'terminate', protect: true, monitoring: true, metadataTags: true,
  userData: '#!/bin/sh\necho "$HOME"\n',
}
const page = (more: Partial<Template>): Asked => {
  const template = { name: "it's", words: 'one "two"', launch: said, root: true, ...more }
  return { at: 'template', ...callOf(template, runInput(template.launch, template.launch.groups)) }
}
const source = { id: 'lt-1', version: '2', data: { ImageId: 'ami-1', NetworkInterfaces: [{ DeviceIndex: 0, SubnetId: 'subnet-1' }] } }
const templateCalls: Asked[] = [
  page({}), page({ of: 'lt-1', root: false }), page({ launch: { ...said, subnet: 'subnet-1', publicIp: 'false' } }),
  page({ launch: { ...said, privateIp: '172.31.0.10' } }),
  page({ launch: { ...start, type: '', shutdown: '', tokens: '', hops: '', group: 'existing', image: 'ami-1' }, root: false }),
  { at: 'launch by a template', ...callsOf({ ...said, source }, '192.0.2.1')[0]! },
]

const modules: Record<string, [string, () => Promise<any>]> = {
  ec2: ['EC2', () => import('@aws-sdk/client-ec2')], iam: ['IAM', () => import('@aws-sdk/client-iam')],
  s3: ['S3', () => import('@aws-sdk/client-s3')],
  ssm: ['SSM', () => import('@aws-sdk/client-ssm')], dlm: ['DLM', () => import('@aws-sdk/client-dlm')],
  cloudtrail: ['CloudTrail', () => import('@aws-sdk/client-cloudtrail')], cloudwatch: ['CloudWatch', () => import('@aws-sdk/client-cloudwatch')],
}
/** As the page sends it. */
const send = (endpoint: string) => async (service: string, operation: string, input: object): Promise<any> => {
  const [name, load] = modules[service]!
  const module = await load()
  const client = new module[`${name}Client`]({ endpoint, region: REGION, credentials: keys, maxAttempts: 1, forcePathStyle: true })
  try {
    return await client.send(new module[`${operation}Command`](input))
  } finally {
    client.destroy()
  }
}
const refused = (error: Error): void => assert.ok('$metadata' in error, error)

/** The words of each command, as a shell reads them. */
function wordsOf(commands: string[]): string[][] {
  const script = `aws() { printf '%s\\0' "$@"; printf '\\1\\0'; }\n${commands.join('\n')}\n`
  const all = execFileSync('/bin/bash', { input: script, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }).split('\0').slice(0, -1)
  return all.join('\0').split('\0\u0001').slice(0, -1).map(one => one.replace(/^\0/, '').split('\0'))
}

/** Runs all by one AWS CLI; what it says of each. */
async function runAll(commands: { id: string; words: string[] }[]): Promise<Map<string, string>> {
  const [, python] = /^#!(\S+)/.exec(readFileSync(CLI, 'utf8')) ?? []
  assert.ok(python, `${CLI} is no Python program`)
  const child = spawn(python, [join(import.meta.dirname, 'run-commands.py'), ear.url], { env: settings, stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(commands.map(one => `${JSON.stringify(one)}\n`).join(''))
  const lines = (await text(child.stdout)).trim().split('\n').map(line => JSON.parse(line) as { id: string; said: string })
  return new Map(lines.map(({ id, said }) => [id, said]))
}

/** An option of 2025, which the CLI of the tests (2.17) may be too old for: a CLI of its day takes it, and its code is run as all is. */
const YOUNGER = 'Unknown options: --http-tokens-enforced, '

const nameOf = ({ at, operation, input }: Asked): string => `${at}: ${operation} ${JSON.stringify(input)}`

/** What the console sends with no command beside it, and why. */
const UNSHOWN: Record<string, string> = {
  '/ec2/instance-types compare': 'it shows, and sends nothing',
  '/iam/users mfa': 'it is two forms one after the other, which are run in the page itself',
}
/** The calls that the sources name, as the SDK has them: those that change something. A name with a gap is one of those that fit. */
async function namesInSources(): Promise<RegExp[]> {
  const loaded = await Promise.all(Object.values(modules).map(([, load]) => load()))
  const commands = new Set(loaded.flatMap(one => Object.keys(one)).filter(name => name.endsWith('Command')).map(name => name.slice(0, -7)))
  const source = globSync('**/*.{ts,tsx}', { cwd: CONSOLE }).map(file => readFileSync(join(CONSOLE, file), 'utf8')).join('\n')
  const plain = [...source.matchAll(/'([A-Z]\w+)'/g)].map(([, name]) => name!).filter(name => commands.has(name))
  const gaps = [...source.matchAll(/`([A-Z][\w]+\$\{\w+\}\w*)`/g)].map(([, name]) => name!.replace(/\$\{\w+\}/, '\\w+'))
  const all = [...plain, ...gaps.filter(name => [...commands].some(one => new RegExp(`^${name}$`).test(one)))]
  return [...new Set(all)].filter(name => !/^(Describe|Get|List|Lookup)/.test(name)).map(name => new RegExp(`^${name}$`))
}

test('every action is run, and every call that the console can make', async () => {
  const programs = shown.flatMap(({ sdk: code }) => [...code.matchAll(/new (\w+)Command/g)].map(([, name]) => name!))
  const run = [...calls.map(one => one.operation), ...programs, ...callsOf(whole, '192.0.2.1').map(one => one.operation)]
  const names = (await namesInSources()).filter(name => !run.some(one => name.test(one))).map(name => name.source.slice(1, -1))
  assert.deepEqual([...silent, ...names].sort(), Object.keys(UNSHOWN).sort())
})

test('the command of each form is the call that the form makes', async t => {
  for (const [i, call] of calls.entries()) await send(`${ear.url}/form${i}`)(call.service, call.operation, call.input).catch(refused)
  const words = wordsOf(calls.map(call => cliOf(call)))
  assert.equal(wordsOf([cliOf(calls[0]!, 'eu-west-3')])[0]!.slice(-2).join(' '), '--region eu-west-3')
  assert.equal(words.length, calls.length)
  const began = Date.now()
  const said = await runAll(words.map((one, i) => ({ id: `command${i}`, words: one })))
  const took = Date.now() - began
  const wrong: object[] = []
  for (const [i, call] of calls.entries()) {
    const [wanted, got] = [ear.heard.get(`form${i}`), ear.heard.get(`command${i}`)]
    try {
      assert.deepEqual(got, wanted)
    } catch {
      if (said.get(`command${i}`)!.includes(YOUNGER)) continue
      wrong.push({ call: nameOf(call), wanted, got, said: got ? undefined : said.get(`command${i}`)!.trim().split('\n').at(-1) })
    }
  }
  assert.deepEqual(wrong, [])
  const kinds = new Set(calls.map(call => call.operation)).size
  t.diagnostic(`${calls.length} commands of ${kinds} operations in ${took} ms`)
  assert.ok(kinds >= 60 && calls.length > 100, `${kinds} operations, ${calls.length} calls`)
})

test('the code of each form is the call that the form makes', async () => {
  const wrong: object[] = []
  for (const [i, call] of calls.entries()) {
    const file = join(dir, `${i}.mjs`)
    writeFileSync(file, sdkOf([call], REGION, `${ear.url}/code${i}`))
    await import(file).catch(refused)
    const [wanted, got] = [ear.heard.get(`form${i}`), ear.heard.get(`code${i}`)]
    try {
      assert.deepEqual(got, wanted)
    } catch {
      wrong.push({ call: nameOf(call), wanted, got })
    }
  }
  assert.deepEqual(wrong, [])
})

test('what is shown for tags, rules, sub-lists, objects and a key is what the page then does', async t => {
  // Where files are named, they lie here.
  writeFileSync(join(dir, FILE.name), FILE.buffer)
  process.chdir(dir)
  const commands = shown.flatMap(({ cli }, i) => wordsOf([cli]).map((words, j) => ({ id: `shown${i}-${j}`, words })))
  const said = await runAll(commands)
  const wrong: object[] = []
  for (const [i, { at, sdk: code, sent }] of shown.entries()) {
    const file = join(dir, `shown${i}.mjs`)
    writeFileSync(file, code.replaceAll(endpoint, `${ear.url}/program${i}`))
    await import(file)
    const own = commands.filter(({ id }) => id.startsWith(`shown${i}-`))
    const got = { commands: own.map(({ id }) => ear.heard.get(id) ?? said.get(id)), program: ear.all.get(`program${i}`) }
    try {
      assert.deepEqual(got, { commands: sent, program: sent })
    } catch {
      wrong.push({ at, sent, ...got })
    }
  }
  t.diagnostic(`${commands.length} commands in ${shown.length} places`)
  assert.deepEqual(wrong, [])
})

/** The launch page as a reader may leave it: with all that may be said, and with next to nothing. */
const whole: Launch = {
  ...start, name: "it's mine", tags: [{ key: 'a', value: '$b' }], rootDevice: '/dev/xvda', key: 'web-key', publicIp: 'true', http: true, https: true,
  opened: '2026-01-02T03:04:05.678Z', groupName: 'launch-wizard-1', volumes: [newVolume], hostname: 'resource-name', shutdown: 'terminate',
  protect: true, protectStop: true, monitoring: true, credits: 'unlimited', metadataTags: true, nicDescription: "the web's",
  userData: '#!/bin/bash\necho "{{GroupId}} $HOME" \'é\' `id`\n',
}

test('the commands and the code of the launch page, run one after the other, launch what the page would launch', async () => {
  const { server, close } = await openWorld()
  try {
    const ec2 = server.ec2()
    const { Images } = await ec2.send(new sdk.DescribeImagesCommand({ Owners: ['amazon'] }))
    await ec2.send(new sdk.CreateKeyPairCommand({ KeyName: 'web-key' }))
    const launch = callsOf({ ...whole, image: Images![0]!.ImageId!, profile: '' }, '192.0.2.1')
    const env = { ...settings, AWS_ENDPOINT_URL: server.url }
    const script = launch.map(one => cliOf(one)).join('\n').replaceAll(/\baws ec2/g, `${CLI} ec2`)
    await promisify(execFile)('/bin/bash', ['-euc', script], { env })
    const file = join(dir, 'launch.mjs')
    writeFileSync(file, sdkOf(callsOf({ ...whole, image: Images![0]!.ImageId!, groupName: 'launch-wizard-2' }, '192.0.2.1'), REGION, server.url))
    await import(file)
    const { Reservations } = await ec2.send(new sdk.DescribeInstancesCommand({}))
    const { SecurityGroups } = await ec2.send(
      new sdk.DescribeSecurityGroupsCommand({ Filters: [{ Name: 'group-name', Values: ['launch-wizard-*'] }] }),
    )
    const told = Reservations!.map(async ({ Instances }) => {
      const { InstanceId, KeyName, PrivateDnsNameOptions, MetadataOptions, Tags, BlockDeviceMappings } = Instances![0]!
      const asked = { InstanceId: InstanceId!, Attribute: 'userData' } as const
      const { UserData } = await ec2.send(new sdk.DescribeInstanceAttributeCommand(asked))
      assert.equal(Buffer.from(UserData!.Value!, 'base64').toString(), whole.userData)
      assert.deepEqual(Tags!.map(tag => tag.Value).sort(), ['$b', "it's mine"])
      return { KeyName, PrivateDnsNameOptions, MetadataOptions, disks: BlockDeviceMappings!.map(one => one.DeviceName) }
    })
    const [one, other] = await Promise.all(told)
    assert.deepEqual([one, Reservations!.length], [other, 2])
    const rules = SecurityGroups!.map(one => [one.GroupName, one.Description, one.IpPermissions!.map(p => p.FromPort).sort()])
    assert.deepEqual(rules.sort(), [1, 2].map(n => [`launch-wizard-${n}`, `launch-wizard-${n} created ${whole.opened}`, [22, 443, 80]]))
  } finally {
    await close()
  }
})
