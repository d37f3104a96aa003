/** Every API action on an instance. */
import type * as sdk from '@aws-sdk/client-ec2'
import type { Actions } from '#kit/action'
import type { Context } from '#service/ec2/context'
import { attributes } from '#service/ec2/instance/attributes'
import { describes } from '#service/ec2/instance/describe'
import { runInstances } from '#service/ec2/instance/launch'
import { actions as profiles } from '#service/ec2/instance-profile/profile'
import { lifecycle } from '#service/ec2/instance/lifecycle'

export const actions = (context: Context): Actions<typeof sdk> => ({
  RunInstances: runInstances(context),
  ...profiles,
  ...lifecycle(context),
  ...describes(context),
  ...attributes(context),
})
