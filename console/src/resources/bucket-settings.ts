/** What a bucket is told once and keeps: each a form that begins with how it is. */
import { call, orNone } from '../api/call'
import { newRule } from './bucket-rules'
import type { Action, Field, Form, Values } from './kinds'

const versioning: Form = {
  operation: 'PutBucketVersioning',
  fields: [{ name: 'status', label: 'buckets.versioning', hint: 'buckets.versioningHint', kind: 'select', options: ['Enabled', 'Suspended'] }],
  start: async ({ Name }) => ({ status: (await call('s3', 'GetBucketVersioning', { Bucket: Name })).Status ?? 'Enabled' }),
  input: (values, item) => ({ Bucket: item?.Name, VersioningConfiguration: { Status: values.status } }),
}

const policy: Form = {
  fields: [{ name: 'document', label: 'buckets.policy', hint: 'buckets.policyHint', kind: 'json', optional: true }],
  async start({ Name }) {
    const { Policy } = await orNone('NoSuchBucketPolicy', call('s3', 'GetBucketPolicy', { Bucket: Name }))
    return { document: Policy ? JSON.stringify(JSON.parse(Policy), undefined, 2) : '' }
  },
  calls: (values, { Name }) => [
    String(values.document).trim() === ''
      ? { operation: 'DeleteBucketPolicy', input: { Bucket: Name } }
      : { operation: 'PutBucketPolicy', input: { Bucket: Name, Policy: values.document } },
  ],
}

const BLOCKS = {
  BlockPublicAcls: 'buckets.blockAcls',
  IgnorePublicAcls: 'buckets.ignoreAcls',
  BlockPublicPolicy: 'buckets.blockPolicy',
  RestrictPublicBuckets: 'buckets.restrict',
} as const
const publicAccess: Form = {
  operation: 'PutPublicAccessBlock',
  fields: Object.entries(BLOCKS).map(([name, label]): Field => ({ name, label, kind: 'bool' })),
  async start({ Name }) {
    const code = 'NoSuchPublicAccessBlockConfiguration'
    const { PublicAccessBlockConfiguration: is = {} } = await orNone(code, call('s3', 'GetPublicAccessBlock', { Bucket: Name }))
    return Object.fromEntries(Object.keys(BLOCKS).map(name => [name, is[name] === true]))
  },
  input: (values, item) => ({
    Bucket: item?.Name,
    PublicAccessBlockConfiguration: Object.fromEntries(Object.keys(BLOCKS).map(name => [name, values[name]])),
  }),
}

const pages = ({ index, error }: Values): object => ({
  IndexDocument: { Suffix: index },
  ErrorDocument: error ? { Key: error } : undefined,
})
const website: Form = {
  fields: [
    { name: 'index', label: 'buckets.index', hint: 'buckets.indexHint', optional: true },
    { name: 'error', label: 'buckets.errorPage', optional: true, when: values => values.index !== '' },
  ],
  async start({ Name }) {
    const is = await orNone('NoSuchWebsiteConfiguration', call('s3', 'GetBucketWebsite', { Bucket: Name }))
    return { index: is.IndexDocument?.Suffix ?? '', error: is.ErrorDocument?.Key ?? '' }
  },
  calls: (values, { Name }) => [
    values.index === ''
      ? { operation: 'DeleteBucketWebsite', input: { Bucket: Name } }
      : { operation: 'PutBucketWebsite', input: { Bucket: Name, WebsiteConfiguration: pages(values) } },
  ],
}

const rulesIn = (document: string): unknown => {
  try {
    return JSON.parse(document)
  } catch {
    return undefined
  }
}
/** As AWS's console has it: the rules as a list in JSON. */
const cors: Form = {
  fields: [
    {
      name: 'cors',
      label: 'buckets.cors',
      hint: 'buckets.corsHint',
      kind: 'json',
      optional: true,
      wrong: document => (String(document).trim() === '' || Array.isArray(rulesIn(document)) ? undefined : 'buckets.wrongCors'),
    },
  ],
  async start({ Name }) {
    const { CORSRules } = await orNone('NoSuchCORSConfiguration', call('s3', 'GetBucketCors', { Bucket: Name }))
    const text = CORSRules ? JSON.stringify(CORSRules, undefined, 2) : ''
    return { cors: text, before: text }
  },
  calls({ cors: document, before }, { Name }) {
    if (document.trim() === before) return []
    if (document.trim() === '') return [{ operation: 'DeleteBucketCors', input: { Bucket: Name } }]
    const CORSRules = rulesIn(document)
    return Array.isArray(CORSRules) ? [{ operation: 'PutBucketCors', input: { Bucket: Name, CORSConfiguration: { CORSRules } } }] : []
  },
}

/** There is one way here, which holds for every object without being asked for. */
const encryption: Form = {
  operation: 'PutBucketEncryption',
  fields: [{ name: 'algorithm', label: 'buckets.encryption', hint: 'buckets.encryptionHint', kind: 'select', options: ['AES256'] }],
  async start({ Name }) {
    const { ServerSideEncryptionConfiguration: is } = await call('s3', 'GetBucketEncryption', { Bucket: Name })
    return { algorithm: is.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm }
  },
  input: (values, item) => ({
    Bucket: item?.Name,
    ServerSideEncryptionConfiguration: { Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: values.algorithm } }] },
  }),
}

export const bucketSettings: Action[] = [
  { id: 'versioning', label: 'buckets.editVersioning', form: versioning },
  { id: 'policy', label: 'buckets.editPolicy', form: policy },
  { id: 'publicAccess', label: 'buckets.editPublicAccess', form: publicAccess },
  { id: 'cors', label: 'buckets.editCors', form: cors },
  { id: 'lifecycle', label: 'buckets.createRule', form: newRule },
  { id: 'encryption', label: 'buckets.editEncryption', form: encryption },
  { id: 'website', label: 'buckets.editWebsite', form: website },
]
