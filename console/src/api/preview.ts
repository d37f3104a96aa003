/** What one would type, or program, for a call that a form makes: the way from the console to the API. Pure. */

export type Service = 'ec2' | 'iam' | 's3' | 'ssm' | 'sts' | 'dlm' | 'cloudtrail' | 'cloudwatch'
export type Input = Record<string, unknown>
/** A call before it is made. `keep`: the member of its answer that later calls name. */
export type Preview = { service: Service; operation: string; input: Input; keep?: string }
/** What stands in a later call for a member that an earlier one's answer is to bring, between signs that nobody types. */
export const kept = (member: string): string => `\ue000${member}\ue001`
const KEPT = /\ue000(\w+)\ue001/
/** The call with what the answer has brought. */
export const filled = (call: Preview, member: string, value: string): Preview => ({
  ...call,
  input: JSON.parse(JSON.stringify(call.input).replaceAll(kept(member), value)) as Input,
})

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

const bare = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)
const variable = (member: string): string => kebab(member).replaceAll('-', '_').toUpperCase()
/** As a shell reads it again; what an earlier command brought is a variable. */
const quote = (text: string): string =>
  text === '' ? "''" : text.split(KEPT).map((part, i) => (i % 2 === 1 ? `"$${variable(part)}"` : part === '' ? '' : bare(part))).join('')
/** Bytes that are a text, as the CLI takes them on its line. */
const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes))
const scalar = (value: unknown): value is string | number => typeof value === 'string' || typeof value === 'number'

/** The CLI's own words for some 'no': aws-cli, customizations/argrename.py (a fact looked up there). */
const NEGATED: Record<string, string> = { NoReboot: '--reboot', Egress: '--ingress' }

function option(name: string, value: unknown): string {
  const flag = `--${kebab(name)}`
  if (typeof value === 'boolean') return value ? flag : (NEGATED[name] ?? `--no-${kebab(name)}`)
  if (value instanceof Date) return `${flag} ${value.toISOString()}`
  if (value instanceof Uint8Array) return `${flag} ${quote(base64(value))}`
  if (scalar(value)) return `${flag} ${quote(String(value))}`
  if (Array.isArray(value) && value.length > 0 && value.every(scalar)) return `${flag} ${value.map(item => quote(String(item))).join(' ')}`
  return `${flag} ${quote(JSON.stringify(value))}`
}

export const utf8 = (base64: string): string => new TextDecoder().decode(Uint8Array.from(atob(base64), c => c.charCodeAt(0)))

/** A file goes into a bucket as one would do it by hand. Its name is no option, whatever it begins with. */
function copyOf({ Bucket, Key, ContentType }: Input, file: File): string {
  const type = ContentType === undefined ? '--no-guess-mime-type' : `--content-type ${quote(String(ContentType))}`
  return [`aws s3 cp ${quote(`./${file.name}`)} ${quote(`s3://${String(Bucket)}/${String(Key)}`)}`, type].join(' \\\n  ')
}

/** `region`: where it is another than that of `enclume env`. */
export function cliOf({ service, operation, input, keep }: Preview, region?: string): string {
  if (input.Body instanceof File) return `${copyOf(input, input.Body)}${region ? ` \\\n  --region ${region}` : ''}`
  const { MinCount, MaxCount, UserData, ...rest } = input as Input & { UserData?: string }
  const options = Object.entries(operation === 'RunInstances' ? rest : input)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => option(name, value))
  if (operation === 'RunInstances') {
    options.push(`--count ${MinCount === MaxCount ? MinCount : `${MinCount}:${MaxCount}`}`)
    // The CLI encodes user data itself.
    if (UserData !== undefined) options.push(`--user-data ${quote(utf8(UserData))}`)
  }
  // The CLI keeps what a device begins with in a file (aws-cli, customizations/iamvirtmfa.py: a fact looked up there).
  if (operation === 'CreateVirtualMFADevice') options.push('--outfile QRCode.png', '--bootstrap-method QRCodePNG')
  if (region) options.push(`--region ${region}`)
  if (keep) options.push(`--query ${keep} --output text`)
  const command = [`aws ${cliNames[service]} ${kebab(operation)}`, ...options].join(' \\\n  ')
  return keep ? `${variable(keep)}=$(${command})` : command
}

/** What is no plain text is made in the program: moments, files, and bytes that are a text. */
function literal(input: Input): string {
  const made: string[] = []
  const stand = (code: string): string => `\ue002${made.push(code) - 1}\ue003`
  const body = JSON.stringify(
    input,
    function (this: Input, name, plain: unknown) {
      const value = this[name]
      if (value instanceof File) return stand(`await readFile(${JSON.stringify(`./${value.name}`)})`)
      if (value instanceof Date) return stand(`new Date('${value.toISOString()}')`)
      return value instanceof Uint8Array ? stand(`Buffer.from(${JSON.stringify(new TextDecoder().decode(value))})`) : plain
    },
    2,
  )
  return body
    .replace(/^(\s*)"(\w+)":/gm, '$1$2:')
    .replace(/"\ue000(\w+)\ue001"/g, '$1')
    .replace(/"\ue002(\d+)\ue003"/g, (_, i: string) => made[Number(i)]!)
}

/** A program that makes all of these calls. */
export function sdkOf(calls: readonly Preview[], region: string, endpoint: string): string {
  const services = [...new Set(calls.map(({ service }) => service))]
  const imports = services.map(service => {
    const commands = new Set(calls.filter(one => one.service === service).map(({ operation }) => `${operation}Command`))
    return `import { ${classes[service]}Client, ${[...commands].join(', ')} } from '@aws-sdk/client-${service}'`
  })
  const clients = services.map(service => `const ${service} = new ${classes[service]}Client({ region: '${region}', endpoint: '${endpoint}' })`)
  const sent = calls.map(({ service, operation, input, keep }) => {
    return `${keep ? `const { ${keep} } = ` : ''}await ${service}.send(new ${operation}Command(${literal(input)}))`
  })
  if (calls.some(({ input }) => input.Body instanceof File)) imports.push("import { readFile } from 'node:fs/promises'")
  return [...imports, '', ...clients, ...sent].join('\n')
}
