/** ParameterFilters: which parameters a request means. */
import type { ParameterStringFilter } from '@aws-sdk/client-ssm'
import { ApiError } from '#kit/error'
import { KEY } from '#service/ssm/read'
import type { ParameterRow } from '#service/ssm/parameter'

const valuesOf: Record<string, (row: ParameterRow) => string[]> = {
  Name: row => [row.spec.name], Type: row => [row.spec.type], Tier: row => [row.spec.tier], DataType: row => [row.spec.dataType],
  KeyId: row => (row.spec.type === 'SecureString' ? [KEY] : []),
}

/** SSM User Guide, "Searching for parameters": options by key, the first being the default. */
const OPTIONS: Record<string, string[]> = { Name: ['Equals', 'BeginsWith', 'Contains'], Path: ['OneLevel', 'Recursive'], KeyId: ['Equals',
  'BeginsWith'] }

export function chooser(filters: readonly ParameterStringFilter[] | undefined, keys: readonly string[]): (row: ParameterRow) => boolean {
  const tests = (filters ?? []).map(({ Key = '', Option, Values = [] }) => {
    const key = Key.startsWith('tag:') ? 'tag' : Key
    if (!keys.includes(key))
      throw new ApiError('InvalidFilterKey', `The following filter key is not valid: ${Key}. Valid filter keys include: [${keys.join(', ')}].`)
    const options = OPTIONS[key] ?? ['Equals']
    const option = Option ?? options[0]!
    if (!options.includes(option)) {
      throw new ApiError('InvalidFilterOption',
        `The following filter option is not valid: ${option}. Valid options include: [${options.join(', ')}].`)
    }
    if (Values.length === 0 && key !== 'tag')
      throw new ApiError('InvalidFilterValue', 'The following filter values are missing : [] for filter key ' + Key)
    return (row: ParameterRow): boolean => {
      if (key === 'tag') {
        const value = row.tags[Key.slice(4)]
        return value !== undefined && (Values.length === 0 || Values.includes(value))
      }
      if (key === 'Path') {
        return Values.some(path => {
          const prefix = path === '/' ? '/' : `${path}/`
          return row.spec.name.startsWith(prefix) && (option === 'Recursive' || !row.spec.name.slice(prefix.length).includes('/'))
        })
      }
      return valuesOf[key]!(row).some(found => Values.some(value =>
        (option === 'BeginsWith' ? found.startsWith(value) : option === 'Contains' ? found.includes(value) : found === value)))
    }
  })
  return row => tests.every(test => test(row))
}
