package templatetest_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/parser"
	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/lambda/providers"
)

// providerResources lists the resources of each provider, with its name as [Name] and [name].
const providerResources = `
[Name]Integration:
  Type: AWS::ApiGatewayV2::Integration
  DependsOn: [Name]FunctionAliaslive
  Properties:
    {ApiId: !Ref CallbackApi, IntegrationType: AWS_PROXY, IntegrationUri: !Sub "${[Name]Function.Arn}:live", PayloadFormatVersion: "2.0"}
[Name]Permission:
  Type: AWS::Lambda::Permission
  Properties:
    Action: lambda:InvokeFunction
    FunctionName: !Ref [Name]Function.Alias
    Principal: apigateway.amazonaws.com
    SourceArn: !Sub arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${CallbackApi}/*/POST/*callbacks/[name]/*
[Name]Keys:
  Type: AWS::SecretsManager::Secret
  Properties: {Name: !Sub "${AWS::StackName}/keys/[name]"}
`

// queriedResources lists the resources of each provider that can be asked.
const queriedResources = `
[Name]Api:
  Type: AWS::SecretsManager::Secret
  Properties: {Name: !Sub "${AWS::StackName}/api/[name]"}
`

// typeResources lists the resources of each type of callback, with its name as [Type] and [type].
const typeResources = `
[Name][Type]Route:
  Type: AWS::ApiGatewayV2::Route
  Condition: AcceptsPlainUrls
  Properties:
    {ApiId: !Ref CallbackApi, RouteKey: "POST /callbacks/[name]/[type]", Target: !Sub "integrations/${[Name]Integration}"}
[Name][Type]TokenRoute:
  Type: AWS::ApiGatewayV2::Route
  Condition: HasPathToken
  Properties:
    {ApiId: !Ref CallbackApi, RouteKey: !Sub "POST /${CallbackPathToken}/callbacks/[name]/[type]", Target: !Sub "integrations/${[Name]Integration}"}
[Name][Type]TokenNextRoute:
  Type: AWS::ApiGatewayV2::Route
  Condition: HasPathTokenNext
  Properties:
    {ApiId: !Ref CallbackApi, RouteKey: !Sub "POST /${CallbackPathTokenNext}/callbacks/[name]/[type]", Target: !Sub "integrations/${[Name]Integration}"}
`

// functionResources lists the resources of each folder of functions. Other tables
// list permissions, variables and numbers.
const functionResources = `
[Name]Function:
  Type: AWS::Serverless::Function
  Metadata: {BuildMethod: go1.x}
  Properties: {CodeUri: "functions/[name]/", Role: !GetAtt [Name]Role.Arn, LoggingConfig: {LogGroup: !Ref [Name]LogGroup}}
[Name]Role:
  Type: AWS::IAM::Role
  Properties:
    AssumeRolePolicyDocument:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Action: "sts:AssumeRole", Principal: {Service: lambda.amazonaws.com}}]
[Name]LogGroup:
  Type: AWS::Logs::LogGroup
  Properties: {LogGroupName: !Sub "/aws/lambda/${AWS::StackName}/[name]", RetentionInDays: !Ref LogRetentionDays}
`

// otherResources lists every other resource except alarms, metric filters and the
// dashboard.
const otherResources = `
CallbackApi:
  Type: AWS::ApiGatewayV2::Api
  Properties: {Name: !Sub "${AWS::StackName}", ProtocolType: HTTP, DisableExecuteApiEndpoint: !If [HasDomain, true, false]}
CallbackStage:
  Type: AWS::ApiGatewayV2::Stage
  Properties:
    ApiId: !Ref CallbackApi
    StageName: $default
    AutoDeploy: true
    DefaultRouteSettings: {ThrottlingRateLimit: !Ref ThrottleRate, ThrottlingBurstLimit: !Ref ThrottleBurst}
    AccessLogSettings: {DestinationArn: !GetAtt AccessLogGroup.Arn}
AccessLogGroup:
  Type: AWS::Logs::LogGroup
  Properties: {LogGroupName: !Sub "/aws/vendedlogs/apigateway/${AWS::StackName}", RetentionInDays: !Ref LogRetentionDays}
CallbackDomainName:
  Type: AWS::ApiGatewayV2::DomainName
  Condition: HasDomain
  Properties:
    DomainName: !Ref CallbackDomain
    DomainNameConfigurations: [{CertificateArn: !Ref CertificateArn, EndpointType: REGIONAL, SecurityPolicy: TLS_1_2}]
CallbackDomainMapping:
  Type: AWS::ApiGatewayV2::ApiMapping
  Condition: HasDomain
  Properties: {ApiId: !Ref CallbackApi, DomainName: !Ref CallbackDomainName, Stage: !Ref CallbackStage}
ExpectedIntegration:
  Type: AWS::ApiGatewayV2::Integration
  DependsOn: ExpectedFunctionAliaslive
  Properties:
    {ApiId: !Ref CallbackApi, IntegrationType: AWS_PROXY, IntegrationUri: !Sub "${ExpectedFunction.Arn}:live", PayloadFormatVersion: "2.0"}
ExpectedPermission:
  Type: AWS::Lambda::Permission
  Properties:
    Action: lambda:InvokeFunction
    FunctionName: !Ref ExpectedFunction.Alias
    Principal: apigateway.amazonaws.com
    SourceArn: !Sub arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${CallbackApi}/*/POST/expected-payouts
ExpectedPayoutsRoute: # API Gateway verifies who calls
  Type: AWS::ApiGatewayV2::Route
  Properties:
    {ApiId: !Ref CallbackApi, RouteKey: POST /expected-payouts, AuthorizationType: AWS_IAM, Target: !Sub "integrations/${ExpectedIntegration}"}

EventsQueue:
  Type: AWS::SQS::Queue
  Properties:
    QueueName: !Sub ${AWS::StackName}-events
    SqsManagedSseEnabled: true
    RedrivePolicy: {deadLetterTargetArn: !GetAtt DeadLetterQueue.Arn}
DeadLetterQueue:
  Type: AWS::SQS::Queue
  Properties:
    QueueName: !Sub ${AWS::StackName}-dead-letters
    SqsManagedSseEnabled: true
    RedriveAllowPolicy:
      redrivePermission: byQueue
      sourceQueueArns: [!Sub "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}-events"]
EventsQueuePolicy:
  Type: AWS::SQS::QueuePolicy
  Condition: OnAWS
  Properties:
    Queues: [!Ref EventsQueue]
    PolicyDocument:
      Statement: [{Sid: TLSOnly, Effect: Deny, Principal: "*", Action: "sqs:*", Resource: !GetAtt EventsQueue.Arn, Condition: {Bool: {"aws:SecureTransport": "false"}}}]
DeadLetterQueuePolicy:
  Type: AWS::SQS::QueuePolicy
  Condition: OnAWS
  Properties:
    Queues: [!Ref DeadLetterQueue]
    PolicyDocument:
      Statement: [{Sid: TLSOnly, Effect: Deny, Principal: "*", Action: "sqs:*", Resource: !GetAtt DeadLetterQueue.Arn, Condition: {Bool: {"aws:SecureTransport": "false"}}}]
EventsToConsumer: # SQS redelivers only the failed messages of a batch
  Type: AWS::Lambda::EventSourceMapping
  Properties:
    FunctionName: !Ref ConsumerFunction.Alias
    EventSourceArn: !GetAtt EventsQueue.Arn
    FunctionResponseTypes: [ReportBatchItemFailures]
    ScalingConfig: {MaximumConcurrency: !Ref ConsumerConcurrency}
PayoutsToPublisher: # reads the stream from its start, and skips no change
  Type: AWS::Lambda::EventSourceMapping
  Properties:
    FunctionName: !Ref PublisherFunction.Alias
    EventSourceArn: !GetAtt PayoutsTable.StreamArn
    StartingPosition: TRIM_HORIZON
    FunctionResponseTypes: [ReportBatchItemFailures]
    BisectBatchOnFunctionError: true
PayoutBus:
  Type: AWS::Events::EventBus
  Properties: {Name: !Sub "${AWS::StackName}-payouts"}

ReceiptsTable: # retained if the stack is deleted
  Type: AWS::DynamoDB::Table
  DeletionPolicy: RetainExceptOnCreate
  UpdateReplacePolicy: Retain
  Properties:
    BillingMode: PAY_PER_REQUEST
    AttributeDefinitions:
      - {AttributeName: payout, AttributeType: S}
      - {AttributeName: receipt, AttributeType: S}
      - {AttributeName: dueShard, AttributeType: S}
      - {AttributeName: dueAt, AttributeType: N}
      - {AttributeName: claimed, AttributeType: S}
      - {AttributeName: acceptedAt, AttributeType: N}
    KeySchema: [{AttributeName: payout, KeyType: HASH}, {AttributeName: receipt, KeyType: RANGE}]
    GlobalSecondaryIndexes:
      - IndexName: unapplied
        KeySchema: [{AttributeName: dueShard, KeyType: HASH}, {AttributeName: dueAt, KeyType: RANGE}]
        Projection: {ProjectionType: INCLUDE, NonKeyAttributes: [acceptedAt]}
      - IndexName: claimed
        KeySchema: [{AttributeName: claimed, KeyType: HASH}, {AttributeName: acceptedAt, KeyType: RANGE}]
        Projection: {ProjectionType: KEYS_ONLY}
    PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
    SSESpecification: {SSEEnabled: true}
    DeletionProtectionEnabled: !Ref ProtectTables
PayoutsTable: # the publisher needs both images of a change
  Type: AWS::DynamoDB::Table
  DeletionPolicy: RetainExceptOnCreate
  UpdateReplacePolicy: Retain
  Properties:
    BillingMode: PAY_PER_REQUEST
    AttributeDefinitions:
      - {AttributeName: payout, AttributeType: S}
      - {AttributeName: reference, AttributeType: S}
      - {AttributeName: conflicted, AttributeType: S}
      - {AttributeName: overdue, AttributeType: S}
      - {AttributeName: updatedAt, AttributeType: N}
      - {AttributeName: queryShard, AttributeType: S}
      - {AttributeName: queryOrder, AttributeType: S}
    KeySchema: [{AttributeName: payout, KeyType: HASH}]
    GlobalSecondaryIndexes:
      - IndexName: reference
        KeySchema: [{AttributeName: reference, KeyType: HASH}, {AttributeName: payout, KeyType: RANGE}]
        Projection: {ProjectionType: KEYS_ONLY}
      - IndexName: conflicted
        KeySchema: [{AttributeName: conflicted, KeyType: HASH}, {AttributeName: updatedAt, KeyType: RANGE}]
        Projection: {ProjectionType: KEYS_ONLY}
      - IndexName: overdue
        KeySchema: [{AttributeName: overdue, KeyType: HASH}, {AttributeName: updatedAt, KeyType: RANGE}]
        Projection: {ProjectionType: KEYS_ONLY}
      - IndexName: queries
        KeySchema: [{AttributeName: queryShard, KeyType: HASH}, {AttributeName: queryOrder, KeyType: RANGE}]
        Projection: {ProjectionType: KEYS_ONLY}
    StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
    PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
    SSESpecification: {SSEEnabled: true}
    DeletionProtectionEnabled: !Ref ProtectTables

AccountsTable:
  Type: AWS::DynamoDB::Table
  DeletionPolicy: RetainExceptOnCreate
  UpdateReplacePolicy: Retain
  Properties:
    BillingMode: PAY_PER_REQUEST
    AttributeDefinitions: [{AttributeName: account, AttributeType: S}]
    KeySchema: [{AttributeName: account, KeyType: HASH}]
    PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
    SSESpecification: {SSEEnabled: true}
    DeletionProtectionEnabled: !Ref ProtectTables

AlarmTopic:
  Type: AWS::SNS::Topic
AlarmEmailSubscription:
  Type: AWS::SNS::Subscription
  Condition: HasAlarmEmail
  Properties: {TopicArn: !Ref AlarmTopic, Protocol: email, Endpoint: !Ref AlarmEmail}
`

// ownFunctionProperties lists properties of single functions. The schedule omits its
// name, because SAM would use the same one in every stack of an account.
var ownFunctionProperties = map[string]string{
	"SweeperFunction": `Events: {EveryMinute: {Type: ScheduleV2, Properties: {OmitName: true, ScheduleExpression: rate(1 minute)}}}`,
	"ReconcilerFunction": `
Events: {EveryMinute: {Type: ScheduleV2, Properties: {OmitName: true, ScheduleExpression: rate(1 minute), Input: "{}"}}}
VpcConfig: !If
  - HasEgressSubnets
  - SubnetIds: !Split [",", !Ref EgressSubnetIds]
    SecurityGroupIds: !Split [",", !Ref EgressSecurityGroupIds]
  - !Ref AWS::NoValue
`,
}

const ingressConcurrency = `ReservedConcurrentExecutions: !If [ReservesConcurrency, !Ref IngressReservedConcurrency, !Ref AWS::NoValue]`

// testedElsewhere lists the resource types and properties that other tests check.
var testedElsewhere = []string{
	"AWS::CloudWatch::Alarm", "AWS::Logs::MetricFilter", "AWS::CloudWatch::Dashboard", // alarms_test, dashboard_test
	"Policies", "Environment", "Format", // roles_test, globals_test, template_test
	"Description", "DisplayName", "cfn-lint", // descriptions, and settings of the linter
}

func TestResources_MatchExpected(t *testing.T) {
	template := loadDocument(t)
	want := map[string]any{}
	expect := func(text string) {
		maps.Copy(want, template.resolve(parseYAML(t, text), nil).(map[string]any))
	}
	expect(otherResources)
	for _, function := range functionFolders(t) {
		expect(expandNames(functionResources, function, ""))
	}
	own := maps.Clone(ownFunctionProperties)
	for _, provider := range providers.All() {
		own[provider.Prefix()+"Function"] = ingressConcurrency
	}
	for id, text := range own {
		properties := want[id].(map[string]any)["Properties"].(map[string]any)
		maps.Copy(properties, template.resolve(parseYAML(t, text), nil).(map[string]any))
	}
	for _, provider := range providers.All() {
		expect(expandNames(providerResources, provider.Name(), ""))
		if provider.Queries != nil {
			expect(expandNames(queriedResources, provider.Name(), ""))
		}
		for _, kind := range provider.Types() {
			expect(expandNames(typeResources, provider.Name(), string(kind)))
		}
	}
	got := map[string]any{}
	for id, resource := range template["Resources"].(map[string]any) {
		if kind := resource.(map[string]any)["Type"].(string); !slices.Contains(testedElsewhere, kind) {
			got[id] = template.resolve(resource, nil)
		}
	}
	if diff := cmp.Diff(withoutTestedElsewhere(want), withoutTestedElsewhere(got)); diff != "" {
		t.Errorf("expected are -, template.yaml has +:\n%s", diff)
	}
}

// withoutTestedElsewhere drops what other tests check, and what is empty then.
func withoutTestedElsewhere(value any) any {
	switch value := value.(type) {
	case uint64, int64:
		return nil // numberTable
	case map[string]any:
		rest := map[string]any{}
		for name, element := range value {
			if kept := withoutTestedElsewhere(element); kept != nil && !slices.Contains(testedElsewhere, name) {
				rest[name] = kept
			}
		}
		if len(rest) == 0 {
			return nil
		}
		return rest
	}
	return value
}

func parseYAML(t *testing.T, text string) any {
	t.Helper()
	file, err := parser.ParseBytes([]byte(text), 0)
	if err != nil {
		t.Fatal(err)
	}
	return toPlain(file.Docs[0].Body)
}

// expandNames inserts the names of a provider or function and of a type. The
// type sub-address-payout is SubAddressPayout for [Type].
func expandNames(text, name, kind string) string {
	return strings.NewReplacer("[name]", name, "[Name]", titleCase(name), "[type]", kind, "[Type]", titleCase(kind)).Replace(text)
}

func titleCase(name string) string {
	var words []string
	for word := range strings.SplitSeq(name, "-") {
		if word != "" {
			words = append(words, strings.ToUpper(word[:1])+word[1:])
		}
	}
	return strings.Join(words, "")
}
