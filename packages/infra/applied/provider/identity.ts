import {
  AttachRolePolicyCommand,
  CreateOpenIDConnectProviderCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam'
import { type ParameterType, PutParameterCommand } from '@aws-sdk/client-ssm'
import { answered, type Maker, optionalText, tagList, text } from './inputs.ts'

export const IDENTITY: Readonly<Record<string, Maker>> = {
  'aws:ssm/parameter:Parameter': async (inputs, { ssm }) => {
    const Name = text(inputs, 'name')
    await ssm.send(
      new PutParameterCommand({
        Name,
        Type: text(inputs, 'type') as ParameterType,
        Value: text(inputs, 'value'),
        Tags: tagList(inputs),
      }),
    )
    return { id: Name, state: {} }
  },
  'aws:iam/role:Role': async (inputs, { iam }) => {
    const RoleName = text(inputs, 'name')
    const { Role } = await iam.send(
      new CreateRoleCommand({
        RoleName,
        AssumeRolePolicyDocument: text(inputs, 'assumeRolePolicy'),
        Description: optionalText(inputs, 'description'),
        PermissionsBoundary: optionalText(inputs, 'permissionsBoundary'),
        ...(inputs['maxSessionDuration'] !== undefined && { MaxSessionDuration: Number(inputs['maxSessionDuration']) }),
        Tags: tagList(inputs),
      }),
    )
    return { id: RoleName, state: { arn: answered(Role?.Arn, 'Arn') } }
  },
  'aws:iam/policy:Policy': async (inputs, { iam }) => {
    const { Policy } = await iam.send(
      new CreatePolicyCommand({
        PolicyName: text(inputs, 'name'),
        PolicyDocument: text(inputs, 'policy'),
        Description: optionalText(inputs, 'description'),
        Tags: tagList(inputs),
      }),
    )
    const arn = answered(Policy?.Arn, 'Arn')
    return { id: arn, state: { arn } }
  },
  'aws:iam/rolePolicy:RolePolicy': async (inputs, { iam }) => {
    const [RoleName, PolicyName] = [text(inputs, 'role'), text(inputs, 'name')]
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument: text(inputs, 'policy') }))
    return { id: `${RoleName}:${PolicyName}`, state: {} }
  },
  'aws:iam/rolePolicyAttachment:RolePolicyAttachment': async (inputs, { iam }) => {
    const [RoleName, PolicyArn] = [text(inputs, 'role'), text(inputs, 'policyArn')]
    await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }))
    return { id: `${RoleName}/${PolicyArn}`, state: {} }
  },
  'aws:iam/openIdConnectProvider:OpenIdConnectProvider': async (inputs, { iam }) => {
    const { OpenIDConnectProviderArn } = await iam.send(
      new CreateOpenIDConnectProviderCommand({
        Url: text(inputs, 'url'),
        ClientIDList: inputs['clientIdLists'] as string[],
        Tags: tagList(inputs),
      }),
    )
    const arn = answered(OpenIDConnectProviderArn, 'OpenIDConnectProviderArn')
    return { id: arn, state: { arn } }
  },
}
