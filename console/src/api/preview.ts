/** What one would type, or program, for a call that a form makes: the way from the console to the API. Pure. */
import type { Input, Service } from './call'

const cliNames: Record<Service, string> = {
  ec2: 'ec2',
  iam: 'iam',
  s3: 's3api',
  ssm: 'ssm',
  sts: 'sts',
  dlm: 'dlm',
  cloudtrail: 'cloudtrail',
  cloudwatch: 'cloudwatch',
}
const classes: Record<Service, string> = {
  ec2: 'EC2',
  iam: 'IAM',
  s3: 'S3',
  ssm: 'SSM',
  sts: 'STS',
  dlm: 'DLM',
  cloudtrail: 'CloudTrail',
  cloudwatch: 'CloudWatch',
}

/** As botocore makes option names: 'VpcId' to 'vpc-id', 'SSHPublicKey' to 'ssh-public-key'. */
export const kebab = (name: string): string =>
  name
    .replace(/(.)([A-Z][a-z]+)/g, '$1-$2')
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()

const quote = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)
const scalar = (value: unknown): value is string | number => typeof value === 'string' || typeof value === 'number'

function option(name: string, value: unknown): string {
  const flag = `--${kebab(name)}`
  if (typeof value === 'boolean') return value ? flag : `--no-${kebab(name)}`
  if (scalar(value)) return `${flag} ${quote(String(value))}`
  if (Array.isArray(value) && value.every(scalar)) return `${flag} ${value.map(item => quote(String(item))).join(' ')}`
  return `${flag} ${quote(JSON.stringify(value))}`
}

const utf8 = (base64: string): string => new TextDecoder().decode(Uint8Array.from(atob(base64), c => c.charCodeAt(0)))

export type Preview = { service: Service; operation: string; input: Input }

export function cliOf({ service, operation, input }: Preview): string {
  const { MinCount, MaxCount, UserData, ...rest } = input as Input & { UserData?: string }
  const options = Object.entries(operation === 'RunInstances' ? rest : input)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => option(name, value))
  if (operation === 'RunInstances') {
    options.push(`--count ${MinCount === MaxCount ? MinCount : `${MinCount}:${MaxCount}`}`)
    // The CLI encodes user data itself.
    if (UserData !== undefined) options.push(`--user-data ${quote(utf8(UserData))}`)
  }
  return [`aws ${cliNames[service]} ${kebab(operation)}`, ...options].join(' \\\n  ')
}

export function sdkOf({ service, operation, input }: Preview, region: string, endpoint: string): string {
  const name = classes[service]
  const body = JSON.stringify(input, null, 2).replace(/^(\s*)"(\w+)":/gm, '$1$2:')
  return [
    `import { ${name}Client, ${operation}Command } from '@aws-sdk/client-${service}'`,
    '',
    `const client = new ${name}Client({ region: '${region}', endpoint: '${endpoint}' })`,
    `await client.send(new ${operation}Command(${body}))`,
  ].join('\n')
}
