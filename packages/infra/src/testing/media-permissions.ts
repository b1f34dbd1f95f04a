/** Rows of the permission table about recordings, beside those about single objects. */
import { object, type Row, row } from './permission-row.ts'

/** Who works on recordings, and who starts tasks for them. */
export function mediaRows(): Row[] {
  const role = (name: string) => `arn:aws:iam::{account}:role/${name}`
  const own = role('siltstone-{stack}-media-task')
  const toTasks = { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' }
  const job = (name: string) => `arn:aws:transcribe:{region}:{account}:transcription-job/${name}`
  const into = (bucket: string) => ({ 'transcribe:OutputBucketName': bucket })
  const upload = '{objects}/uploads/a.mp4'
  const derived = '{objects}/derived/c0ffee/1/scene-0001.jpg'
  const others = ['compactor', 'query', 'api'] as const
  return [
    ...(['media', 'media-task'] as const).flatMap((subject) => [
      row(subject, 's3:GetObject', upload, 'Allowed'),
      row(subject, 's3:PutObject', upload, 'ImplicitlyDenied'),
      row(subject, 's3:DeleteObject', upload, 'ImplicitlyDenied'),
      row(subject, 's3:PutObject', derived, 'Allowed'),
      row(subject, 's3:DeleteObject', derived, 'Allowed'),
      row(subject, 's3:GetObject', upload, 'ExplicitlyDenied', { 'aws:SecureTransport': 'false' }),
      row(subject, 'sqs:ReceiveMessage', '{mediaQueue}', 'Allowed'),
      row(subject, 'sqs:SendMessage', '{mediaQueue}', 'Allowed'),
      row(subject, 'sqs:SendMessage', '{queue}', 'Allowed'),
      row(subject, 'sqs:ReceiveMessage', '{ingestQueue}', 'ImplicitlyDenied'),
      row(subject, 'iam:CreateRole', own, 'ExplicitlyDenied'),
      row(subject, 'transcribe:StartTranscriptionJob', '*', 'Allowed', into('{objectsName}')),
      row(subject, 'transcribe:StartTranscriptionJob', '*', 'ImplicitlyDenied', into('another-bucket')),
      row(subject, 'transcribe:GetTranscriptionJob', job('siltstone-1'), 'Allowed'),
      row(subject, 'transcribe:DeleteTranscriptionJob', job('siltstone-1'), 'Allowed'),
      row(subject, 'transcribe:GetTranscriptionJob', job('another'), 'ImplicitlyDenied'),
    ]),
    row('media-task', 's3:GetObject', object('objectState'), 'Allowed'),
    row('media-task', 's3:DeleteObject', object('objectState'), 'ImplicitlyDenied'),
    ...(['ingest', 'media'] as const).flatMap((subject) => [
      row(subject, 'ecs:RunTask', '{taskDefinition}', 'Allowed', { 'ecs:cluster': '{cluster}' }),
      row(subject, 'ecs:RunTask', '{taskDefinition}', 'ImplicitlyDenied', {
        'ecs:cluster': 'arn:aws:ecs:{region}:{account}:cluster/another',
      }),
      row(subject, 'ecs:RunTask', 'arn:aws:ecs:{region}:{account}:task-definition/another:1', 'ImplicitlyDenied', {
        'ecs:cluster': '{cluster}',
      }),
      row(subject, 'ecs:StopTask', 'arn:aws:ecs:{region}:{account}:task/siltstone-{stack}-media/1', 'ImplicitlyDenied'),
      row(subject, 'iam:PassRole', own, 'Allowed', toTasks),
      row(subject, 'iam:PassRole', own, 'ImplicitlyDenied', { 'iam:PassedToService': 'lambda.amazonaws.com' }),
      row(subject, 'iam:PassRole', role('siltstone-{stack}-compactor'), 'ImplicitlyDenied', toTasks),
    ]),
    row('media-task', 'ecs:RunTask', '{taskDefinition}', 'ImplicitlyDenied', { 'ecs:cluster': '{cluster}' }),
    row('media-task', 'iam:PassRole', own, 'ImplicitlyDenied', toTasks),
    row('ingest', 'sqs:SendMessage', '{mediaQueue}', 'Allowed'),
    row('ingest', 'sqs:ReceiveMessage', '{mediaQueue}', 'ImplicitlyDenied'),
    row('ingest', 'transcribe:StartTranscriptionJob', '*', 'ImplicitlyDenied', into('{objectsName}')),
    ...others.flatMap((subject) => [
      row(subject, 'sqs:SendMessage', '{mediaQueue}', 'ImplicitlyDenied'),
      row(subject, 'ecs:RunTask', '{taskDefinition}', 'ImplicitlyDenied', { 'ecs:cluster': '{cluster}' }),
      row(subject, 'iam:PassRole', own, 'ImplicitlyDenied', toTasks),
    ]),
    row('deploy', 'ecs:RunTask', '{taskDefinition}', 'ImplicitlyDenied', { 'ecs:cluster': '{cluster}' }),
    row('deploy', 'sqs:ReceiveMessage', '{mediaQueue}', 'ImplicitlyDenied'),
  ]
}
