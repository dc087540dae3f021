"""The sample's models: a community-management system as a Django project would describe it.

Written in the words of `liteferry.sample.schema.parse_models`. Nothing but data, 161 tables of it: hence the length.
"""

from __future__ import annotations

from typing import Final

FRAMEWORK: Final = """
contenttypes.ContentType auto table=django_content_type
    app_label varchar(100), model varchar(100), unique app_label+model
auth.Permission auto
    content_type -> contenttypes.ContentType, codename varchar(100), name varchar(255), unique content_type+codename
auth.Group auto
    name varchar(150) unique, permissions <-> Permission
migrations.Migration table=django_migrations bare
    app varchar(255), name varchar(255), applied datetime
sessions.Session key=session_key:varchar(40) table=django_session
    session_data text, expire_date datetime index
sites.Site auto table=django_site
    domain varchar(100) unique, name varchar(50)
admin.LogEntry auto table=django_admin_log
    object_id text null, object_repr varchar(200), action_flag smallunsigned {1 2 3}, change_message text
    content_type -> contenttypes.ContentType null, user -> common.User, action_time datetime
common.User
    password varchar(128), last_login datetime null, is_superuser bool, username varchar(150) unique
    first_name varchar(150), last_name varchar(150), email varchar(254), is_staff bool, is_active bool
    date_joined datetime, user_type varchar(20) {staff partner encoder viewer} index, organization varchar(255)
    position varchar(255), contact_number varchar(20), is_approved bool, approved_by -> self null
    approved_at datetime null index, groups <-> auth.Group, user_permissions <-> auth.Permission
auditlog.LogEntry
    object_pk varchar(255) index, object_id bigint null index, object_repr text, serialized_data json null
    action smallunsigned {0 1 2} index, changes_text text, changes json null, cid varchar(255) null index
    remote_addr ip null, remote_port unsigned null, timestamp datetime index, additional_data json null
    actor_email varchar(254) null, content_type -> contenttypes.ContentType, actor -> common.User null
axes.AccessAttempt auto
    user_agent varchar(255) index, ip_address ip null index, username varchar(255) null index, http_accept varchar(1025)
    path_info varchar(255), attempt_time datetime, get_data text, post_data text, failures_since_start unsigned
    unique username+ip_address+user_agent
axes.AccessLog auto
    user_agent varchar(255) index, ip_address ip null index, username varchar(255) null index, http_accept varchar(1025)
    path_info varchar(255), attempt_time datetime, logout_time datetime null, session_hash varchar(64) =''
axes.AccessFailureLog auto
    user_agent varchar(255) index, ip_address ip null index, username varchar(255) null index, http_accept varchar(1025)
    path_info varchar(255), attempt_time datetime, locked_out bool
django_celery_beat.CrontabSchedule auto
    minute varchar(240), hour varchar(96), day_of_month varchar(124), month_of_year varchar(64), day_of_week varchar(64)
    timezone varchar(63)
django_celery_beat.IntervalSchedule auto
    every integer, period varchar(24) {days hours minutes seconds}
django_celery_beat.SolarSchedule auto
    event varchar(24), latitude decimal, longitude decimal, unique event+latitude+longitude
django_celery_beat.ClockedSchedule auto
    clocked_time datetime
django_celery_beat.PeriodicTasks key=ident:smallint
    last_update datetime
django_celery_beat.PeriodicTask auto
    name varchar(200) unique, task varchar(200), args text, kwargs text, queue varchar(200) null
    exchange varchar(200) null, routing_key varchar(200) null, headers text, priority unsigned null, enabled bool
    last_run_at datetime null, expires datetime null, expire_seconds unsigned null, start_time datetime null
    one_off bool, total_run_count unsigned, date_changed datetime, description text, crontab -> CrontabSchedule null
    interval -> IntervalSchedule null, solar -> SolarSchedule null, clocked -> ClockedSchedule null
token_blacklist.OutstandingToken
    token text, created_at datetime null, expires_at datetime, jti varchar(255) unique, user -> common.User null
token_blacklist.BlacklistedToken
    blacklisted_at datetime, token => OutstandingToken
"""

COMMON: Final = """
common.Region stamps geo
    code varchar(10) unique, name varchar(100) index, description text, is_active bool
common.Province stamps geo
    code varchar(20) unique, name varchar(100) index, capital varchar(100), population_total unsigned null
    is_active bool, region -> Region, unique region+name
common.Municipality stamps geo
    code varchar(20) unique, name varchar(100) index, municipality_type varchar(32) {municipality city component_city}
    population_total unsigned null, is_active bool, province -> Province, unique province+name
common.Barangay stamps geo
    code varchar(20) unique, name varchar(100) index, is_urban bool, is_coastal bool, population_total unsigned null
    is_active bool, municipality -> Municipality, unique municipality+name
common.StaffTeam stamps authored
    name varchar(150) unique, slug slug, description text, mission text, focus_areas json, is_active bool
    lead -> StaffProfile null
common.StaffTeamMembership
    role varchar(20) {lead coordinator member}, is_active bool, joined_at date, notes text, team -> StaffTeam
    user -> User, assigned_by -> User null, unique team+user
common.StaffProfile stamps
    employment_status varchar(20) {active probation on_leave}
    employment_type varchar(20) {regular contractual detailed} index, position_classification varchar(150)
    date_joined_organization date null, primary_location varchar(150), core_values json, key_result_areas json
    competencies json, daily_rate decimal, team -> StaffTeam null, user => User
common.StaffTask stamps uuid history
    title varchar(200), description text, impact varchar(200), priority varchar(12) {low medium high critical} index
    status varchar(20) {not_started in_progress at_risk completed} index, progress smallunsigned
    start_date date null index, due_date date null index, completed_at datetime null index, board_position unsigned
    estimated_effort duration null, created_by -> User null, linked_event -> coordination.Event null
    teams <-> StaffTeam, assignees <-> User, check staff_task_progress: "progress" <= 100
    check staff_task_dates: ("due_date" IS NULL OR "start_date" IS NULL OR "due_date" >= "start_date")
    dependencies <-> self
common.TrainingProgram stamps authored
    title varchar(200) unique, category varchar(100), description text, delivery_mode varchar(20) {in_person virtual}
    duration_days smallint null, competency_focus json
common.TrainingEnrollment stamps
    status varchar(20) {planned ongoing completed} index, scheduled_date date null index, completion_date date null
    evidence_url varchar(200), program -> TrainingProgram, staff_profile -> StaffProfile
    unique staff_profile+program+scheduled_date
common.StaffDevelopmentPlan stamps authored
    title varchar(200), competency_focus varchar(150), target_date date null index, status varchar(20) index
    support_needed text, staff_profile -> StaffProfile
common.PerformanceTarget stamps authored
    scope varchar(12) {staff team}, metric_name varchar(150), performance_standard varchar(255), target_value decimal
    actual_value decimal null, unit varchar(32), status varchar(12) {on_track at_risk achieved} index, period_start date
    period_end date, staff_profile -> StaffProfile null, team -> StaffTeam null
    check performance_target_period: "period_end" >= "period_start"
common.CalendarResource stamps authored uuid
    name varchar(255), resource_type varchar(20) {vehicle room equipment facilitator} index, description text
    capacity unsigned null, location varchar(255), is_available bool, booking_requires_approval bool
    cost_per_use decimal null
common.CalendarResourceBooking stamps uuid
    start_datetime datetime index, end_datetime datetime, status varchar(20) {pending approved rejected} index
    notes text, object_id unsigned null, resource -> CalendarResource, content_type -> contenttypes.ContentType null
    booked_by -> User null, approved_by -> User null, index resource+start_datetime, index content_type+object_id
    check booking_ends_after_start: "end_datetime" > "start_datetime"
common.CalendarNotification uuid
    object_id unsigned, notification_type varchar(20) index, delivery_method varchar(20), scheduled_for datetime index
    sent_at datetime null index, status varchar(20) index, error_message text, created_at datetime
    content_type -> contenttypes.ContentType, recipient -> User, index recipient+status
common.UserCalendarPreferences stamps
    default_reminder_times json, email_enabled bool, sms_enabled bool, daily_digest bool, weekly_digest bool
    quiet_hours_start time null, quiet_hours_end time null, timezone varchar(50), user => User
common.ExternalCalendarSync stamps uuid
    provider varchar(20) {ical caldav}, calendar_url varchar(200), direction varchar(10), is_active bool
    last_sync_at datetime null, sync_errors json null, user -> User
common.SharedCalendarLink uuid
    token varchar(64) unique, filter_modules json, date_from date null, date_to date null, expires_at datetime index
    max_views unsigned null, view_count unsigned, is_active bool, created_at datetime, created_by -> User
common.StaffLeave stamps
    leave_type varchar(20) {vacation sick emergency} index, start_date date index, end_date date
    status varchar(20) index, reason text, staff -> User, approved_by -> User null, backup_staff -> User null
    index staff+status+start_date, check staff_leave_dates: "end_date" >= "start_date"
common.RecurringEventPattern stamps authored
    recurrence_type varchar(10) {daily weekly monthly} index, interval smallunsigned, by_weekday json null
    until date null, count unsigned null, exception_dates json
common.ChatMessage
    user_message text, assistant_response text, intent varchar(50) index, confidence real, entities json
    response_time duration null, session_id varchar(100) index, created_at datetime index, user -> User
    parent -> self null, index user+created_at
common.DocumentCategory stamps
    name varchar(100) unique, description text, parent -> self null
common.Document stamps
    title varchar(255), file varchar(100), size_bytes bigint, mime_type varchar(100) index, thumbnail blob null
    sha256 varchar(64) index, visibility varchar(20) {public internal restricted}, object_id unsigned null
    category -> DocumentCategory null, content_type -> contenttypes.ContentType null, uploaded_by -> User null
    index content_type+object_id
common.DocumentAccess
    access_type varchar(20) index, accessed_at datetime index, ip_address ip null, document -> Document
    user -> User null
common.SystemSetting
    key varchar(100) unique, value json, description text, updated_at datetime, updated_by -> User null
common.Notification
    title varchar(200), body text, level varchar(10) {info warning} ='info', is_read bool =0, created_at datetime index
    target_url varchar(200), recipient -> User, constraint one_unread_per_title: recipient+title when NOT "is_read"
"""

COMMUNITIES: Final = """
communities.EthnolinguisticGroup
    name varchar(100) unique, description text, is_active bool
communities.Community stamps history
    community_id varchar(50) unique, name varchar(255) index, source varchar(50), households unsigned null
    families unsigned null, population unsigned null, population_density real null, children_0_9 unsigned null
    youth_10_24 unsigned null, adults_25_59 unsigned null, seniors_60 unsigned null, women_count unsigned null
    persons_with_disability unsigned null, out_of_school_youth unsigned null
    settlement_type varchar(20) {village subdivision cluster sitio}, primary_livelihood varchar(100)
    average_income decimal null, access_water varchar(20) {good fair poor none}
    access_power varchar(20) {good fair poor none}, access_health varchar(20) {good fair poor none}
    access_school varchar(20) {good fair poor none}, latitude real null, longitude real null, established date null
    is_active bool, is_deleted bool, notes text, barangay => common.Barangay, verified_by -> common.User null
    groups <-> EthnolinguisticGroup
    check community_latitude: ("latitude" IS NULL OR ("latitude" >= -90.0 AND "latitude" <= 90.0))
    check community_longitude: ("longitude" IS NULL OR ("longitude" >= -180.0 AND "longitude" <= 180.0))
communities.CommunityLivelihood stamps authored
    livelihood_type varchar(50) index, specific_activity varchar(200), households_involved unsigned null
    percentage decimal null, is_primary bool, income_level varchar(20), challenges text, community -> Community
    constraint one_primary_livelihood: community when "is_primary"
communities.CommunityInfrastructure stamps authored
    infrastructure_type varchar(20) index, availability varchar(20), condition varchar(20), coverage decimal null
    priority varchar(10) index, last_assessed date null, community -> Community, unique community+infrastructure_type
communities.CommunityEvent stamps authored
    event_type varchar(30) index, title varchar(200), start_date date index, end_date date null, is_recurring bool
    participants unsigned null, impact text, community -> Community
    check community_event_dates: ("end_date" IS NULL OR "end_date" >= "start_date")
communities.Stakeholder stamps history
    full_name varchar(255), nickname varchar(100), stakeholder_type varchar(30) index, position varchar(255)
    contact_number varchar(50), email varchar(254), influence_level varchar(10), engagement_level varchar(20)
    is_active bool, is_verified bool, verification_date date null, community -> Community
    verified_by -> common.User null, unique full_name+stakeholder_type+community
communities.StakeholderEngagement stamps
    engagement_type varchar(30) index, title varchar(200), date date index, start_time time null
    duration_minutes unsigned null, outcome varchar(20), follow_up_needed bool, follow_up_date date null index
    stakeholder -> Stakeholder, recorded_by -> common.User null
communities.MunicipalityCoverage stamps history
    total_communities unsigned, population unsigned null, households unsigned null, key_barangays text
    existing_support text, auto_sync bool, is_deleted bool, deleted_at datetime null
    municipality => common.Municipality, created_by -> common.User null, updated_by -> common.User null
    deleted_by -> common.User null
communities.ProvinceCoverage stamps
    total_municipalities unsigned, total_communities unsigned, population unsigned null, auto_sync bool
    is_submitted bool, submitted_at datetime null index, province => common.Province, submitted_by -> common.User null
    created_by -> common.User null, updated_by -> common.User null
communities.LearningCentre stamps authored
    name varchar(255), centre_type varchar(30) index, students_male unsigned null, students_female unsigned null
    teachers unsigned null, is_accredited bool, accredited_on date null, fees decimal null, community -> Community
    contact -> Stakeholder null, unique community+name
communities.DisplacementRecord stamps uuid
    cause varchar(30), displaced_on date index, returned_on date null, households unsigned, persons unsigned
    evacuation_centre varchar(255), needs json, community -> Community, host_barangay -> common.Barangay null
    reported_by -> common.User null
communities.Landholding stamps authored
    title_number varchar(100) null unique, tenure varchar(30) index, area_hectares decimal null, registered_on date null
    boundary json null, community -> Community, barangay -> common.Barangay, verified_by -> common.User null
communities.GeographicDataLayer stamps uuid
    name varchar(255), layer_type varchar(30) index, data_source varchar(30), geojson_data json null, style json
    min_zoom smallunsigned, max_zoom smallunsigned, is_public bool, accuracy_metres real null
    community -> Community null, region -> common.Region null, province -> common.Province null
    municipality -> common.Municipality null, created_by -> common.User
communities.MapVisualization stamps uuid
    title varchar(255), visualization_type varchar(30) index, basemap varchar(50), bounding_box json null
    configuration json, zoom_level smallunsigned, is_public bool, community -> Community null, created_by -> common.User
    layers <-> GeographicDataLayer
communities.SpatialDataPoint stamps authored
    name varchar(255), point_type varchar(30) index, latitude real, longitude real, elevation real null
    accuracy_metres real null, collected_at datetime, attributes json, layer -> GeographicDataLayer
    collected_by -> common.User null, index latitude+longitude
"""

MANA: Final = """
mana.AssessmentCategory stamps authored
    name varchar(100) unique, category_type varchar(30) index, icon varchar(50), color varchar(7), is_active bool
mana.Assessment stamps uuid history
    title varchar(255), description text, objectives text, methodology varchar(30) {desk survey workshop}
    level varchar(20) {regional provincial community}, status varchar(20) index, priority varchar(10) index
    progress smallunsigned, planned_start date index, planned_end date index, actual_start date null
    actual_end date null, estimated_budget decimal null, actual_budget decimal null, category -> AssessmentCategory
    community -> communities.Community null, province -> common.Province null, lead -> common.User
    created_by -> common.User, municipalities <-> common.Municipality
    check assessment_dates: "planned_end" >= "planned_start", barangays <-> common.Barangay
mana.AssessmentTeamMember
    role varchar(30), assigned_at datetime, is_active bool, assessment -> Assessment, user -> common.User
    unique assessment+user+role
mana.Survey stamps uuid
    title varchar(255), survey_type varchar(30) index, version varchar(10), is_active bool, estimated_time duration null
    assessment -> Assessment null, created_by -> common.User
mana.SurveyQuestion
    order unsigned, question_text text, question_type varchar(20) index, is_required bool, options json null
    conditional_logic json null, survey -> Survey, constraint question_order: survey+order
mana.SurveyResponse uuid
    answers json, respondent_type varchar(30) index, started_at datetime, completed_at datetime null index
    ip_address ip null, latitude real null, longitude real null, survey -> Survey
    community -> communities.Community null, enumerator -> common.User null
mana.MappingActivity stamps uuid
    title varchar(255), activity_type varchar(30) index, status varchar(20) index, start_datetime datetime
    end_datetime datetime null, area_covered json null, participants_count unsigned null, assessment -> Assessment
    facilitator -> common.User null, community -> communities.Community null
mana.NeedsCategory stamps authored
    name varchar(100) unique, sector varchar(30) index, description text, weight_factor decimal, parent -> self null
mana.Need stamps history
    title varchar(255), description text, affected_population unsigned, geographic_scope varchar(30)
    urgency varchar(20) {immediate short_term long_term}, impact_severity smallint, feasibility smallint
    priority_score decimal null, estimated_cost decimal null, evidence_sources text, is_validated bool
    validated_at datetime null, category -> NeedsCategory, community -> communities.Community
    assessment -> Assessment null, identified_by -> common.User null, validated_by -> common.User null
    linked_recommendation -> policy_tracking.PolicyRecommendation null, index urgency+priority_score
mana.NeedVote
    weight smallunsigned, comment text, voted_at datetime, ip_address ip null, need -> Need, user -> common.User
    unique need+user
mana.NeedsPrioritization stamps authored
    title varchar(255), prioritization_date date, methodology text, consensus_reached bool, assessment -> Assessment
    facilitator -> common.User null
mana.NeedsPrioritizationItem
    rank unsigned, score decimal, rationale text, need -> Need, session -> NeedsPrioritization, unique session+need
    unique session+rank
mana.BaselineStudy stamps uuid
    title varchar(255), study_type varchar(30) index, geographic_coverage text, sample_size unsigned null
    confidence real null, planned_start date index, planned_end date index, status varchar(20) index
    budget decimal null, principal -> common.User, community -> communities.Community null
    supervisor -> common.User null
mana.BaselineTeamMember
    role varchar(30), assigned_at datetime, is_active bool, study -> BaselineStudy, user -> common.User
    unique study+user+role
mana.BaselineIndicator stamps authored
    name varchar(255), unit varchar(50), value decimal null, disaggregation json, collected_on date null index
    study -> BaselineStudy, unique study+name
mana.WorkshopActivity stamps
    workshop_type varchar(20) index, title varchar(255), workshop_day varchar(10), scheduled_date date index
    start_time time, end_time time, status varchar(20) index, target_participants unsigned
    actual_participants unsigned null, methodology text, auto_advance_at datetime null, assessment -> Assessment
    created_by -> common.User, facilitators <-> common.User, unique assessment+workshop_type
mana.WorkshopSession stamps authored
    session_title varchar(255), session_order smallunsigned, start_time time null, end_time time null, notes text
    workshop -> WorkshopActivity, unique workshop+session_order
mana.WorkshopParticipantAccount stamps
    stakeholder_type varchar(30) index, office_name varchar(255), educational_level varchar(30), consent_given bool
    consent_date datetime null, current_workshop varchar(20), completed_workshops json, assessment -> Assessment
    user => common.User, province -> common.Province, municipality -> common.Municipality null
    created_by -> common.User null
mana.WorkshopQuestion stamps authored
    workshop_type varchar(20) index, question_id varchar(50), order unsigned, definition json, version varchar(20)
    unique workshop_type+question_id+version
mana.WorkshopResponse stamps
    question_id varchar(50), response_data json, status varchar(20) index, submitted_at datetime null index
    participant -> WorkshopParticipantAccount, workshop -> WorkshopActivity, unique participant+workshop+question_id
mana.WorkshopOutput stamps
    output_type varchar(30) index, title varchar(255), content text, structured json, file varchar(100)
    workshop -> WorkshopActivity, created_by -> common.User
mana.WorkshopSynthesis stamps
    synthesis_text text, prompt_template text, provider varchar(50), model varchar(100), tokens_used unsigned null
    processing_seconds real null, status varchar(20) index, error_message text, assessment -> Assessment
    workshop -> WorkshopActivity, created_by -> common.User null, approved_by -> common.User null
mana.WorkshopAccessLog
    action_type varchar(30) index, metadata json, created_at datetime index, workshop -> WorkshopActivity
    participant -> WorkshopParticipantAccount, performed_by -> common.User null
mana.WorkshopNotification
    subject varchar(255), body text, sent_at datetime null index, is_read bool =0, created_at datetime
    participant -> WorkshopParticipantAccount, workshop -> WorkshopActivity
mana.FacilitatorAssignment
    assigned_at datetime, is_lead bool, facilitator -> common.User, assessment -> Assessment
    assigned_by -> common.User null, unique facilitator+assessment
    constraint one_lead_facilitator: assessment when "is_lead"
mana.AssessmentReport stamps uuid
    title varchar(255), report_type varchar(20) index, executive_summary text, findings json, recommendations json
    file varchar(100), is_published bool, published_at datetime null index, assessment -> Assessment
    author -> common.User, reviewed_by -> common.User null, approved_by -> common.User null
"""

COORDINATION: Final = """
coordination.Organization stamps uuid history
    name varchar(255) unique, acronym varchar(20) index, organization_type varchar(20) {agency lgu ngo academe} index
    description text, mandate text, address text, phone varchar(100), email varchar(254), website varchar(200)
    established date null, annual_budget decimal null, partnership_level varchar(20)
    partnership_status varchar(20) {active pending inactive}, is_active bool, is_priority bool, areas_of_expertise json
    notes text, parent -> self null, focal_person -> common.User null, created_by -> common.User null
coordination.OrganizationContact stamps authored
    first_name varchar(100), last_name varchar(100), position varchar(255), department varchar(255)
    contact_type varchar(20) {primary technical finance} index, email varchar(254), phone varchar(50), is_active bool
    is_primary bool, organization -> Organization, constraint one_primary_contact: organization when "is_primary"
coordination.EngagementType stamps authored
    name varchar(100) unique, category varchar(30), icon varchar(50), color varchar(7), typical_duration duration null
    requires_approval bool
coordination.Engagement stamps uuid history
    title varchar(255), description text, objectives text, status varchar(20) index, priority varchar(10) index
    planned_date datetime index, actual_date datetime null, duration duration null, venue varchar(255)
    latitude real null, longitude real null, target_participants unsigned, actual_participants unsigned null
    budget_allocated decimal null, actual_cost decimal null, is_recurring bool, reminder_sent bool
    engagement_type -> EngagementType, community -> communities.Community null, assessment -> mana.Assessment null
    lead -> common.User, created_by -> common.User, parent -> self null, pattern -> common.RecurringEventPattern null
    organizations <-> Organization
coordination.EngagementFacilitator
    role varchar(20), assigned_at datetime, notes text, engagement -> Engagement, facilitator -> common.User
    unique engagement+facilitator
coordination.EngagementFeedback uuid
    rating smallint, comments text, is_anonymous bool, submitted_at datetime index, engagement -> Engagement
    respondent -> common.User null
coordination.CommunicationTemplate stamps
    name varchar(150) unique, template_type varchar(20) index, subject varchar(255), body text, variables json
    is_active bool, language varchar(10), created_by -> common.User
coordination.Communication stamps uuid
    communication_type varchar(20) index, direction varchar(10), subject varchar(255), content text
    status varchar(20) index, priority varchar(10) index, sent_at datetime null index, received_at datetime null
    requires_follow_up bool, follow_up_date date null index, reference_number varchar(100) index
    organization -> Organization, contact -> OrganizationContact null, sender -> common.User null
    recorded_by -> common.User, parent -> self null, engagement -> Engagement null
coordination.Partnership stamps uuid history
    title varchar(255), partnership_type varchar(20) index, status varchar(20) index, objectives text, scope text
    start_date date null index, end_date date null, renewal_date date null, total_budget decimal null, is_renewable bool
    document_number varchar(100), progress smallunsigned, lead_organization -> Organization, created_by -> common.User
    focal_person -> common.User null, organizations <-> Organization, communities <-> communities.Community
    check partnership_dates: ("end_date" IS NULL OR "start_date" IS NULL OR "end_date" >= "start_date")
coordination.PartnershipSignatory
    signatory_name varchar(255), position varchar(255), signed_on date null, order unsigned, partnership -> Partnership
    organization -> Organization, unique partnership+organization
coordination.PartnershipMilestone stamps authored
    title varchar(255), milestone_type varchar(20) index, due_date date index, completed_on date null
    status varchar(20) index, progress smallunsigned, partnership -> Partnership, responsible -> common.User null
coordination.PartnershipDocument
    title varchar(255), document_type varchar(20) index, file varchar(100), version varchar(20), uploaded_at datetime
    is_confidential bool, partnership -> Partnership, uploaded_by -> common.User
coordination.ResourceShare stamps
    resource_type varchar(30) index, description text, quantity decimal null, from_date date, to_date date null
    lender -> Organization, borrower -> Organization, partnership -> Partnership null, approved_by -> common.User null
    check lender_is_not_borrower: "lender_id" <> "borrower_id"
coordination.Event stamps uuid history
    title varchar(255), event_type varchar(20) {meeting training consultation} index, description text
    status varchar(20) {planned scheduled completed cancelled} index, start_date date index, start_time time null
    end_date date null, end_time time null, venue varchar(255), virtual_link varchar(200)
    expected_participants unsigned, actual_participants unsigned null, budget decimal null, is_quarterly bool
    fiscal_year varchar(10), minutes text, organizer -> common.User, created_by -> common.User
    community -> communities.Community null, assessment -> mana.Assessment null, parent -> self null
    pattern -> common.RecurringEventPattern null, organizations <-> Organization
    check event_dates: ("end_date" IS NULL OR "end_date" >= "start_date")
coordination.EventParticipant stamps authored
    participant_type varchar(20) index, name varchar(255), email varchar(254), response_status varchar(20)
    attendance varchar(20), check_in_time datetime null, rating smallint null, event -> Event, user -> common.User null
    organization -> Organization null, unique event+user
coordination.EventDocument
    title varchar(255), document_type varchar(20) index, file varchar(100), is_public bool, uploaded_at datetime
    event -> Event, uploaded_by -> common.User null
coordination.ActionItem stamps
    title varchar(255), description text, priority varchar(10) index, status varchar(20) index, due_date date index
    completed_on date null, progress smallunsigned, event -> Event, assigned_to -> common.User null
    created_by -> common.User, depends_on -> self null
"""

MONITORING: Final = """
monitoring.MonitoringEntry stamps uuid history
    title varchar(255), category varchar(20) {office_programme agency_programme request} index, summary text
    status varchar(20) {planning ongoing completed on_hold cancelled} index, priority varchar(10) index
    progress smallunsigned, request_status varchar(32), start_date date null index, target_end_date date null
    actual_end_date date null, fiscal_year unsigned null, sector varchar(20), appropriation_class varchar(10)
    funding_source varchar(20), plan_year unsigned null, goal_alignment json, budget_allocation decimal null
    budget_currency varchar(10), beneficiaries unsigned null, cost_per_beneficiary decimal null, accomplishments text
    challenges text, support_required text, follow_up text, lead_organization -> coordination.Organization null
    submitted_by -> common.User null, reviewed_by -> common.User null, created_by -> common.User null
    updated_by -> common.User null, region -> common.Region null, province -> common.Province null
    municipality -> common.Municipality null, related_policy -> policy_tracking.PolicyRecommendation null
    communities <-> communities.Community, supporting_organizations <-> coordination.Organization, index category+status
    index fiscal_year+sector, check entry_progress: "progress" <= 100
monitoring.MonitoringUpdate uuid
    update_type varchar(20) index, status varchar(20) index, progress smallunsigned null, notes text, next_steps text
    follow_up_date date null index, created_at datetime, updated_at datetime, entry -> MonitoringEntry
    created_by -> common.User null
monitoring.Funding stamps
    tranche_type varchar(20) {allocation obligation disbursement} index, amount decimal, scheduled_date date null index
    remarks text, entry -> MonitoringEntry, organization -> coordination.Organization null
    created_by -> common.User null
monitoring.WorkflowStage stamps
    stage varchar(32), status varchar(12) index, due_date date null index, completed_at datetime null index, notes text
    entry -> MonitoringEntry, owner -> common.User null, last_updated_by -> common.User null, unique entry+stage
monitoring.TaskAssignment stamps
    title varchar(255), role varchar(20), status varchar(20) index, due_date date null index, entry -> MonitoringEntry
    assigned_to -> common.User null, assigned_team -> common.StaffTeam null, created_by -> common.User null
monitoring.OutcomeIndicator stamps authored
    code varchar(50) unique, name varchar(255), unit varchar(50), baseline decimal null, target decimal null
    framework varchar(20), entries <-> MonitoringEntry
monitoring.StrategicGoal stamps uuid
    title varchar(255), description text, goal_type varchar(20) index, start_year unsigned, target_year unsigned
    achieved decimal, is_active bool, lead_organization -> coordination.Organization null, owner -> common.User null
    check goal_years: "target_year" >= "start_year"
monitoring.PlanningCycle stamps
    fiscal_year unsigned unique, name varchar(100), start_date date index, end_date date, status varchar(20) index
    budget_envelope decimal null, created_by -> common.User null, goals <-> StrategicGoal
"""

POLICY: Final = """
policy_tracking.PolicyRecommendation stamps uuid history
    title varchar(255), reference_number varchar(50) unique, category varchar(30) index, description text
    rationale text, status varchar(30) index, priority varchar(10) index, scope varchar(20), estimated_cost decimal null
    is_public bool, submitted_on date null, decided_on date null, proposed_by -> common.User
    lead_author -> common.User null, reviewed_by -> common.User null, assessment -> mana.Assessment null
    region -> common.Region null, supersedes -> self null, communities <-> communities.Community
policy_tracking.PolicyEvidence stamps
    title varchar(255), evidence_type varchar(30) index, reliability varchar(20), source varchar(255), collected_on date
    is_verified bool, policy -> PolicyRecommendation, added_by -> common.User, verified_by -> common.User null
policy_tracking.PolicyImpact stamps
    title varchar(255), impact_type varchar(20) index, measured_on date null, baseline decimal null, target decimal null
    actual decimal null, unit varchar(50), policy -> PolicyRecommendation, assessed_by -> common.User null
policy_tracking.PolicyMilestone stamps authored
    title varchar(255), due_date date index, completed_on date null, status varchar(20) index, order unsigned
    policy -> PolicyRecommendation, responsible -> common.User null, unique policy+order
policy_tracking.PolicyDocument
    title varchar(255), document_type varchar(20) index, file varchar(100), version varchar(20), uploaded_at datetime
    policy -> PolicyRecommendation, uploaded_by -> common.User null
policy_tracking.PolicyConsultation stamps
    title varchar(255), held_on date index, participants unsigned null, summary text, policy -> PolicyRecommendation
    engagement -> coordination.Engagement null, facilitator -> common.User null
"""

PROJECTS: Final = """
project_central.ProjectWorkflow stamps uuid history
    current_stage varchar(30) index, priority varchar(10) index, stage_history json, progress smallunsigned
    initiated_on date, target_completion date null, actual_completion date null, estimated_budget decimal null
    budget_approved bool, is_on_track bool, is_blocked bool, blocker text, need => mana.Need, lead -> common.User
    entry -> monitoring.MonitoringEntry null, office -> coordination.Organization null, created_by -> common.User null
    policy -> policy_tracking.PolicyRecommendation null
project_central.BudgetApprovalStage stamps uuid
    stage varchar(30), stage_order smallunsigned, status varchar(20) index, approved_amount decimal null
    approved_at datetime null, comments text, entry -> monitoring.MonitoringEntry, approver -> common.User null
    unique entry+stage
project_central.BudgetCeiling stamps uuid
    name varchar(255), fiscal_year unsigned, funding_source varchar(20), ceiling_amount decimal
    allocated_amount decimal, enforcement varchar(10), is_active bool, created_by -> common.User null
    unique fiscal_year+funding_source+name, check ceiling_amounts: ("ceiling_amount" >= 0 AND "allocated_amount" >= 0)
project_central.BudgetScenario stamps uuid
    name varchar(255), fiscal_year unsigned, assumptions json, total_budget decimal, is_baseline bool
    created_by -> common.User null, constraint one_baseline_per_year: fiscal_year when "is_baseline"
project_central.ScenarioAllocation
    amount decimal, rationale text, scenario -> BudgetScenario, entry -> monitoring.MonitoringEntry
    unique scenario+entry
project_central.Alert stamps uuid
    alert_type varchar(30) index, severity varchar(10), title varchar(255), details json, is_acknowledged bool
    acknowledged_at datetime null, expires_at datetime null, entry -> monitoring.MonitoringEntry null
    workflow -> ProjectWorkflow null, policy -> policy_tracking.PolicyRecommendation null
    acknowledged_by -> common.User null, index is_acknowledged+severity
"""

PROFILES: Final = """
municipal_profiles.MunicipalProfile stamps history
    reported_metrics json, aggregated_metrics json, last_reported date null, last_aggregated datetime null
    is_locked bool, history_note text, municipality => common.Municipality, updated_by -> common.User null
municipal_profiles.Indicator
    code varchar(50) unique, name varchar(255), unit varchar(50), aggregation varchar(10) {sum mean max}, order unsigned
municipal_profiles.IndicatorValue stamps
    year unsigned, value decimal null, profile -> MunicipalProfile, indicator -> Indicator
    unique profile+indicator+year
"""

MODELS: Final = FRAMEWORK + COMMON + COMMUNITIES + MANA + COORDINATION + MONITORING + POLICY + PROJECTS + PROFILES
"""Every model of the sample."""

_PROVINCE_POPULATION: Final = """\
CREATE VIEW "reporting_province_population" AS
SELECT p."id" AS "province_id", p."name" AS "province", r."name" AS "region",
       COUNT(c."id") AS "communities", COALESCE(SUM(c."population"), 0) AS "population"
FROM "common_province" p
JOIN "common_region" r ON r."id" = p."region_id"
JOIN "common_municipality" m ON m."province_id" = p."id"
JOIN "common_barangay" b ON b."municipality_id" = m."id"
LEFT JOIN "communities_community" c ON c."barangay_id" = b."id"
GROUP BY p."id", p."name", r."name"
"""

_OPEN_ENTRIES: Final = """\
CREATE VIEW "reporting_open_entries" AS
SELECT e."id", e."title", e."status", e."progress", e."target_end_date", o."name" AS "organization"
FROM "monitoring_monitoringentry" e
LEFT JOIN "coordination_organization" o ON o."id" = e."lead_organization_id"
WHERE e."status" IN ('planning', 'ongoing')
"""

VIEWS: Final = (_PROVINCE_POPULATION, _OPEN_ENTRIES)
"""Two reports that somebody wrote by hand beside the models."""
