/** What a user or a role is told once and keeps: each a form that begins with how it is. */
import { call, orNone } from '../api/call'
import type { Action, Call, Item } from './kinds'

/** A service-linked role is its service's to change. */
const isOwn = (item: Item): boolean => !item.Path.startsWith('/aws-service-role/')

/** What it may at most, whatever its policies allow. */
export const boundary = (kind: 'User' | 'Role'): Action => {
  const named = (item: Item) => ({ [`${kind}Name`]: item[`${kind}Name`] })
  return {
    id: 'boundary',
    label: 'boundary.edit',
    enabled: isOwn,
    form: {
      fields: [
        {
          name: 'policy',
          label: 'boundary.policy',
          hint: 'boundary.hint',
          kind: 'select',
          optional: true,
          from: { service: 'iam', operation: 'ListPolicies', member: 'Policies', value: item => item.Arn, label: item => item.PolicyName },
        },
      ],
      async start(item) {
        const { [kind]: is } = await call('iam', `Get${kind}`, named(item))
        const policy = is.PermissionsBoundary?.PermissionsBoundaryArn ?? ''
        return { policy, before: policy }
      },
      calls({ policy, before }, item) {
        if (policy === before) return []
        if (policy === '') return [{ operation: `Delete${kind}PermissionsBoundary`, input: named(item) }]
        return [{ operation: `Put${kind}PermissionsBoundary`, input: { ...named(item), PermissionsBoundary: policy } }]
      },
    },
  }
}

const HOUR_S = 3600
const isDuration = (value: string) => (value === '' || (Number(value) >= HOUR_S && Number(value) <= 12 * HOUR_S) ? undefined : 'roles.wrongSession')

/** What AWS's console calls editing a role. */
export const session: Action = {
  id: 'session',
  label: 'roles.edit',
  enabled: isOwn,
  form: {
    operation: 'UpdateRole',
    fields: [
      { name: 'description', label: 'f.description', optional: true },
      { name: 'seconds', label: 'roles.session', hint: 'roles.sessionHint', kind: 'number', value: String(HOUR_S), wrong: isDuration },
    ],
    start: item => ({ description: item.Description ?? '', seconds: String(item.MaxSessionDuration) }),
    input: (values, item) => ({ RoleName: item?.RoleName, Description: values.description, MaxSessionDuration: Number(values.seconds) }),
  },
}

/** The password for the console: given, changed, or taken away. */
export const signIn: Action = {
  id: 'password',
  label: 'users.console',
  form: {
    fields: [
      { name: 'access', label: 'users.consoleOn', hint: 'users.consoleHint', kind: 'bool', value: true },
      { name: 'password', label: 'signIn.password', kind: 'secret', when: ({ access, before }) => access && !before },
      {
        name: 'another',
        label: 'signIn.newPassword',
        hint: 'users.passwordHint',
        kind: 'secret',
        optional: true,
        when: ({ access, before }) => access && before,
      },
      { name: 'reset', label: 'users.mustReset', kind: 'bool', when: ({ access }) => access },
    ],
    async start({ UserName }) {
      const { LoginProfile } = await orNone('NoSuchEntityException', call('iam', 'GetLoginProfile', { UserName }))
      const reset = LoginProfile?.PasswordResetRequired === true
      return { before: LoginProfile !== undefined, access: true, reset, wasReset: reset }
    },
    calls({ access, password, another, reset, before, wasReset }, { UserName }): Call[] {
      if (!access) return before ? [{ operation: 'DeleteLoginProfile', input: { UserName } }] : []
      if (!before) {
        const input = { UserName, Password: password, PasswordResetRequired: reset }
        return password === '' ? [] : [{ operation: 'CreateLoginProfile', input }]
      }
      if (another === '' && reset === wasReset) return []
      return [{ operation: 'UpdateLoginProfile', input: { UserName, Password: another || undefined, PasswordResetRequired: reset } }]
    },
  },
}
