/** A good request for every action on launch templates. */
import * as sdk from '@aws-sdk/client-ec2'
import type { Bench } from './kit.ts'

export async function prepareTemplateSamples({ ec2, imageId }: Bench, InstanceId: string): Promise<Record<string, object>> {
  const LaunchTemplateData: sdk.RequestLaunchTemplateData = { ImageId: imageId, InstanceType: 't3.micro' }
  const made = await ec2.send(new sdk.CreateLaunchTemplateCommand({ LaunchTemplateName: 'sample', LaunchTemplateData }))
  const LaunchTemplateId = made.LaunchTemplate!.LaunchTemplateId!
  await ec2.send(new sdk.CreateLaunchTemplateVersionCommand({ LaunchTemplateId, LaunchTemplateData }))
  return {
    CreateLaunchTemplate: { LaunchTemplateName: 'sample-2', LaunchTemplateData },
    CreateLaunchTemplateVersion: { LaunchTemplateId, LaunchTemplateData },
    DeleteLaunchTemplate: { LaunchTemplateId }, DeleteLaunchTemplateVersions: { LaunchTemplateId, Versions: ['2'] },
    DescribeLaunchTemplates: { LaunchTemplateIds: [LaunchTemplateId] }, DescribeLaunchTemplateVersions: { LaunchTemplateId },
    GetLaunchTemplateData: { InstanceId }, ModifyLaunchTemplate: { LaunchTemplateId, DefaultVersion: '2' },
  }
}
